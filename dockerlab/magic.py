"""`%docker` and `%lang`, and what a notebook shows instead of a traceback."""

from __future__ import annotations

import errno
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from IPython.core import completer
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from dockerlab import i18n
from dockerlab.course.explain import Overheard
from dockerlab.engine.docker.problems import NoDocker
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _
from dockerlab.image.reference import InvalidReference

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from dockerlab.image.reference import Reference

_NAME = r"\\.|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})"  # $NAME, not \$NAME
_IN_TEXT = re.compile(_NAME)
_IN_LINE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|""" + _NAME)
_MARK = "\ue000"  # of a private range: stands for nothing else
_MARKED = re.compile(f"{_MARK}(\\d+){_MARK}")
_SHELL_WORDS = {"|", "||", "&", "&&", ";", ">", ">>", "<"}


def load(shell: InteractiveShell) -> None:
    """Add the magics, completion and displays to `shell`; a second time only looks for Docker."""
    from dockerlab.engine import forget

    forget()
    ipython: Any = shell  # much of it has no types
    if DockerlabMagics.__name__ in ipython.magics_manager.registry:
        return
    ipython.register_magics(DockerlabMagics)
    matcher: Any = completer.context_matcher
    ipython.Completer.custom_matchers.append(matcher(identifier="dockerlab")(_complete))
    ipython.set_custom_exc((Exception,), _show)
    ipython.events.register("post_run_cell", _carry_on)
    html = ipython.display_formatter.formatters["text/html"]
    html.for_type_by_name("dockerlab.image.reference", "Reference", _name)


@magics_class
class DockerlabMagics(Magics):
    """The commands that a lesson uses."""

    @no_var_expand
    @line_magic
    def docker(self, line: str) -> None:
        """Run a docker command: `%docker ps -a`. Its exit status is left in `_exit_code`."""
        ipython: Any = self.shell
        names = ipython.user_ns
        names["_exit_code"] = 1  # whatever happens
        names["_exit_code"] = _docker(line, names)

    @line_magic
    def lang(self, line: str) -> None:
        """Choose the language, `%lang bn` or `%lang en`; alone, say which it is."""
        code = line.strip()
        if code and code not in i18n.LANGUAGES:
            print(
                _("“{code}” is not a language here. Type %lang bn or %lang en.").format(code=code)
            )
            return
        if code:
            i18n.choose(code)
        print(i18n.LANGUAGES[i18n.language()])


def _docker(line: str, names: Mapping[str, object]) -> int:
    from dockerlab.engine.serving import serve, serve_typed
    from dockerlab.engine.telling import unheard

    try:
        words = _split(line, names)
    except ValueError:
        print(_("A quotation mark in this line is opened and never closed."), file=sys.stderr)
        return 1
    words, typed = _typed(words)
    if shell_words := _SHELL_WORDS.intersection(words):
        only = _("%docker runs one docker command. “{word}” belongs to a shell: use a terminal.")
        print(only.format(word=min(shell_words)), file=sys.stderr)
        return 1
    for problem in unheard():
        print(problem, file=sys.stderr)
    err = Overheard(sys.stdout)  # as in a terminal: what docker says is not all alarming
    status = serve_typed(words, err, typed) if typed else serve(words, sys.stdout, err)
    if status or err.text.endswith("[y/N] "):
        _explain(err.text, words, honest=True)
    return status


def _explain(text: str, words: Sequence[str] = (), *, honest: bool = False) -> None:
    """Show what an error means; `honest`: and say so if nobody here knows."""
    from dockerlab.course import pasted
    from dockerlab.course.causes import explained

    meaning = explained(text, words)
    if meaning is None and honest and pasted.is_error(text):
        meaning = pasted.unknown(text)
    if meaning:
        from IPython.display import display

        from dockerlab.widgets.meaning import MeaningView

        display(MeaningView(meaning))  # type: ignore[no-untyped-call]


def _split(line: str, names: Mapping[str, object]) -> list[str]:
    """Words as a shell makes them, with $NAME for a notebook's text, number or path called so.

    On Windows a backslash is part of a path.
    """
    values: list[str] = []

    def mark(found: re.Match[str]) -> str:
        if found[0].startswith('"'):
            return _IN_TEXT.sub(mark, found[0])
        value = names.get(found["name"] or found["braced"] or "")
        if not isinstance(value, str | int | os.PathLike):
            return found[0]
        values.append(str(value))
        return f"{_MARK}{len(values) - 1}{_MARK}"

    lexer = shlex.shlex(_IN_LINE.sub(mark, line), posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.escape = "" if os.name == "nt" else lexer.escape
    return [_MARKED.sub(lambda found: values[int(found[1])], word) for word in lexer]


def _typed(words: list[str]) -> tuple[list[str], bytes]:
    """The words without `<<< TEXT`, and that text as bash would let docker read it."""
    if "<<<" not in words[:-1]:
        return words, b""
    at = words.index("<<<")
    return [*words[:at], *words[at + 2 :]], f"{words[at + 1]}\n".encode()


def _complete(context: CompletionContext) -> dict[str, Any]:
    """What Tab offers in a %docker line: what docker can complete, and no Python beside it."""
    typed = re.match(r"\s*%docker\s+(.*)", context.text_until_cursor)
    if not typed:
        return {"completions": []}
    from dockerlab.engine.serving import complete

    words = re.split(r"\s+", typed[1])
    try:
        found = [completer.SimpleCompletion(word) for word in complete(words)]
    except DockerlabError:  # Tab is no place for error messages
        found = []
    return {"completions": found, "matched_fragment": words[-1], "suppress": True}


def _show(
    shell: Any,
    kind: type[Exception],
    error: Exception,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """A learner's mistake: docker's words where it has some, and what they mean."""
    if _nobody_answers(error):
        print(f"{kind.__name__}: {_refusal(error)}", file=sys.stderr)
        request: Any = getattr(error, "_request", None)  # whose own property may raise
        _explain(f"{request.url if request else ''}: connect: connection refused")
        return
    if not isinstance(error, DockerlabError):
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
        if isinstance(error, NameError):
            _explain(str(error))
        return
    if isinstance(error, InvalidReference):
        print(error.docker, file=sys.stderr)
        _explain(error.docker, [error.text])
        return
    print(error.message(), file=sys.stderr)
    if not isinstance(error, NoDocker):  # which says all that there is to say
        _explain(error.message())


def _carry_on(result: ExecutionResult) -> None:
    """Let “Run All” go on after a mistake that has been shown and explained."""
    error = result.error_in_exec
    if isinstance(error, DockerlabError) or _nobody_answers(error):
        result.error_in_exec = None


def _nobody_answers(error: BaseException | None) -> bool:
    """Whether this is httpx saying so: a lesson asks a registry that may not run."""
    return (type(error).__module__, type(error).__name__) == ("httpx", "ConnectError")


def _refusal(error: Exception) -> str:
    """What the system said; where it has no IPv6, of the IPv4 address that was tried before."""
    if str(error) != str(OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))):
        return str(error)
    return str(OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)))


def _name(name: Reference) -> str:
    from dockerlab.widgets.name import html

    return html(name)
