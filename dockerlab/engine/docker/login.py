"""`docker login` where there is no terminal: the notebook asks for the password.

It goes to docker's standard input, and nowhere else: not into the notebook, nor into a command
line, a history or a log.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Sequence
from io import StringIO
from typing import TextIO

from dockerlab.engine.docker.marking import command_at
from dockerlab.i18n import _

Run = Callable[[Sequence[str], TextIO, bytes], int]  # docker's words, where to, its stdin

_STDIN = "--password-stdin"
_INTERRUPTED = 130

_REFUSAL = re.compile(
    r"^.*(cannot perform an interactive login from a non[- ]TTY device"
    r"|the --password-stdin option requires --username to be set).*\n?",
    re.IGNORECASE | re.MULTILINE,
)
_USER = re.compile(r"-u|--username(=|$)")
_PASSWORD = re.compile(r"-p|--password(=|$)")


def is_login(words: Sequence[str]) -> bool:
    """Whether `docker WORDS` logs in."""
    return list(words[command_at(words) :][:1]) == ["login"]


def login(words: Sequence[str], out: TextIO, run: Run) -> int:
    """Run `docker login` by `run`; if docker must ask and cannot, ask for it and run again."""
    if any(map(_PASSWORD.match, words)):
        print(_exposed(), file=out)
    first = StringIO()
    status = run(words, first, b"")
    said = first.getvalue()
    if status and _REFUSAL.search(said):
        try:
            answered, password = _ask(words)
        except (EOFError, NotImplementedError, OSError):  # nobody can be asked here
            pass
        except KeyboardInterrupt:
            return _INTERRUPTED
        else:
            out.write(_REFUSAL.sub("", said))
            return run(answered, out, password)
    out.write(said)
    return status


def _ask(words: Sequence[str]) -> tuple[list[str], bytes]:
    """The words with what was missing in them, and the password."""
    end = command_at(words) + 1
    before, after = list(words[:end]), [word for word in words[end:] if word != _STDIN]
    if not any(map(_USER.match, after)):
        before += ["--username", input("Username: ")]
    if any(map(_PASSWORD.match, after)):
        return before + after, b""
    return [*before, _STDIN, *after], getpass.getpass("Password: ").encode()


def _exposed() -> str:
    return _(
        "Everyone who gets this notebook can read this password. Leave -p out of the cell: the "
        "lab asks for the password then, and keeps it nowhere in the notebook."
    )
