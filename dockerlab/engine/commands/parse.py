"""How docker reads a command line: commands, flags and arguments, with its words for mistakes.

The rules are those of Go's pflag and cobra, which no Python library follows: a flag without a
value may still be given one (`--rm=false`), short flags are joined (`-dp 5000:5000`), flags may
follow arguments, except where the rest belongs to the container (`docker run IMAGE …`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from dockerlab.errors import DockerlabError, EngineError, NeedsEngine

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_MANY = {"list", "filter", "map", "mount", "network", "ulimit"}


@dataclass(frozen=True)
class Option:
    """A flag: its names, the kind of its value as the help shows it, and its default.

    `support` is "" if the flag works, "harmless" or "unlisted" (and not in the help) if it may be
    ignored, "engine" if it takes a Docker Engine; only a flag that works is given to the
    command's function. `check` says what is wrong with a value, or "".
    """

    name: str
    short: str = ""
    help: str = ""
    kind: str = "bool"
    default: Any = None
    support: str = ""
    check: Callable[[str], str] | None = None

    @property
    def key(self) -> str:
        """The name of the parameter that gets the value."""
        return self.name.replace("-", "_")

    @property
    def many(self) -> bool:
        """Whether the flag may be repeated; its value is a list then."""
        return self.kind in _MANY

    @property
    def initial(self) -> Any:
        """The value where the flag is not given."""
        if self.many:
            return []
        if self.kind == "bool":
            return bool(self.default)
        return self.default if self.default is not None or self.kind != "string" else ""

    @property
    def title(self) -> str:
        """`-n, --last`, as docker's messages call the flag."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


def flag(name: str, short: str = "", help: str = "", **rest: Any) -> Option:
    """A flag that is on or off; its value is a bool."""
    return Option(name, short, help, **rest)


def text(name: str, short: str = "", help: str = "", **rest: Any) -> Option:
    """A flag with a text; its value is a str, "" if not given."""
    return Option(name, short, help, **{"kind": "string", **rest})


def number(name: str, short: str = "", help: str = "", **rest: Any) -> Option:
    """A flag with a whole number; its value is an int, None if not given and no default."""
    return Option(name, short, help, **{"kind": "int", **rest})


def many(name: str, short: str = "", help: str = "", **rest: Any) -> Option:
    """A flag that may be repeated; its value is a list of str."""
    return Option(name, short, help, **{"kind": "list", **rest})


FORMAT = text(
    "format",
    "f",
    """Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with \
templates""",
)
TABLE_FORMAT = text(
    "format",
    "",
    """Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with \
templates""",
)


@dataclass
class Session:
    """One run of a command: on which engine, and where to write."""

    engine: Embedded
    out: TextIO
    err: TextIO
    stdin: BinaryIO | None = None

    def print(self, line: str = "") -> None:
        """Write a line to standard output, at once."""
        self.out.write(line + "\n")
        self.out.flush()

    def complain(self, line: str) -> None:
        """Write a line to standard error, at once."""
        self.err.write(line + "\n")
        self.err.flush()

    def confirm(self, warning: str) -> bool:
        """Ask as docker does before it deletes; yes only if `y` is typed."""
        self.out.write(f"{warning}\nAre you sure you want to continue? [y/N] ")
        self.out.flush()
        answer = self.stdin.readline() if self.stdin else b""
        return answer.strip().lower() == b"y"

    def each(self, names: Sequence[str], action: Callable[[str], str | None]) -> int:
        """Do `action` for every name and print what it returns; mistakes do not end the loop."""
        status = 0
        for name in names:
            try:
                line = action(name)
                if line is not None:
                    self.print(line)
            except DockerlabError as error:
                self.complain(str(error))
                status = 1
        return status


@dataclass(frozen=True)
class Command:
    """A docker command: its spellings, what it takes, and the function that does it."""

    names: tuple[str, ...]
    summary: str
    usage: str
    options: tuple[Option, ...]
    arguments: tuple[int, int | None]
    interspersed: bool
    completes: str
    about: str
    action: Callable[..., int | None]

    def use_line(self, name: str) -> str:
        """The line after `Usage:` for that spelling."""
        words = ("docker", name, "[OPTIONS]" if self.options else "", self.usage)
        return " ".join(word for word in words if word)


COMMANDS: dict[str, Command] = {}


def command(
    *names: str,
    summary: str,
    usage: str = "",
    options: Sequence[Option] = (),
    arguments: tuple[int, int | None] = (0, 0),
    interspersed: bool = True,
    completes: str = "",
    about: str = "",
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Make a function docker's command `names`, all of its spellings, in docker's order.

    It is called as `f(session, *arguments, **options)`, an option `--no-trunc` as `no_trunc=`;
    it returns an exit status, or None for 0, and raises EngineError in docker's words.
    `arguments` is the least and the greatest number of arguments (None: any number).
    `about` is what the help says if that is more than the summary.
    `completes`: "containers", "running", "stopped", "images", "volumes" or "".
    """

    def register(action: Callable[..., int | None]) -> Callable[..., int | None]:
        made = Command(
            names,
            summary,
            usage,
            tuple(sorted(options, key=lambda option: option.name)),
            arguments,
            interspersed,
            completes,
            about,
            action,
        )
        COMMANDS.update(dict.fromkeys(names, made))
        return action

    return register


class UsageError(EngineError):
    """A command line that docker would not take: what is wrong, and how to get help."""

    def __init__(self, message: str, path: str, usage: str, status: int, see: str = "Run") -> None:
        hint = f"{see} '{path} --help' for more information"
        parts = [message, f"Usage:  {usage}" if usage else "", hint]
        super().__init__("\n\n".join(part for part in parts if part), status)


class HelpWanted(Exception):
    """`--help` was among the flags, or `-h`, which comes with a warning."""


class _BadFlag(Exception):
    """A flag that pflag would not take, in its words."""


def parse(found: Command, name: str, words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Arguments and options of `docker NAME WORDS`; UsageError or HelpWanted."""
    usage, path = found.use_line(name), f"docker {name}"
    try:
        arguments, given = read(words, found.options, found.interspersed)
    except _BadFlag as error:
        raise UsageError(str(error), path, usage, 125) from None
    least, most = found.arguments
    if len(arguments) < least or (most is not None and len(arguments) > most):
        message, see = _count(least, most)
        raise UsageError(f"docker: '{path}' {message}", path, usage, 1, see)
    for option in found.options:
        if option.support == "engine" and option.key in given:
            raise NeedsEngine(f"{path} --{option.name}", 125 if name.endswith("run") else 1)
    initial = {option.key: option.initial for option in found.options if not option.support}
    return arguments, initial | {key: given[key] for key in given if key in initial}


def parse_global(
    words: Sequence[str], options: Sequence[Option]
) -> tuple[list[str], dict[str, Any]]:
    """The command's words and the options of `docker [OPTIONS] COMMAND …`."""
    try:
        rest, given = read(words, options, interspersed=False)
    except _BadFlag as error:
        usage = "docker [OPTIONS] COMMAND [ARG...]"
        raise UsageError(str(error), "docker", usage, 125) from None
    return rest, {option.key: option.initial for option in options} | given


def read(
    words: Sequence[str], options: Sequence[Option], interspersed: bool
) -> tuple[list[str], dict[str, Any]]:
    """Split `words` into arguments and the options that are given."""
    long = {option.name: option for option in options}
    short = {option.short: option for option in options if option.short}
    rest, arguments, given = list(words), list[str](), dict[str, Any]()
    while rest:
        word = rest.pop(0)
        if word == "--":
            return arguments + rest, given
        if word.startswith("--"):
            _long(word[2:], long, rest, given)
        elif len(word) > 1 and word.startswith("-"):
            _short(word[1:], short, rest, given)
        elif interspersed:
            arguments.append(word)
        else:
            return [word, *rest], given
    return arguments, given


def _long(word: str, options: dict[str, Option], rest: list[str], given: dict[str, Any]) -> None:
    name, equals, value = word.partition("=")
    if not name or name.startswith("-"):
        raise _BadFlag(f"bad flag syntax: --{word}")
    option = options.get(name)
    if option is None:
        if name == "help":
            raise HelpWanted
        raise _BadFlag(f"unknown flag: --{name}")
    if not equals:
        if option.kind == "bool":
            value = "true"
        elif rest:
            value = rest.pop(0)
        else:
            raise _BadFlag(f"flag needs an argument: --{name}")
    _take(option, value, given)


def _short(word: str, options: dict[str, Option], rest: list[str], given: dict[str, Any]) -> None:
    while word:
        option = options.get(word[0])
        if option is None:
            if word[0] == "h":
                raise HelpWanted("Flag shorthand -h has been deprecated, use --help")
            raise _BadFlag(f"unknown shorthand flag: '{word[0]}' in -{word}")
        following = word[1:]
        if len(word) > 2 and following.startswith("="):
            value, following = following[1:], ""
        elif option.kind == "bool":
            value = "true"
        elif following:
            value, following = following, ""
        elif rest:
            value = rest.pop(0)
        else:
            raise _BadFlag(f"flag needs an argument: '{word[0]}' in -{word}")
        _take(option, value, given)
        word = following


def _take(option: Option, value: str, given: dict[str, Any]) -> None:
    if option.kind == "filter" and "=" not in value:
        raise _invalid(option, value, "bad format of filter (expected name=value)")
    if option.check and (reason := option.check(value)):
        raise _invalid(option, value, reason)
    if option.many:
        given.setdefault(option.key, []).append(value)
    elif option.kind == "bool":
        if value not in _TRUE | _FALSE:
            raise _unparsable(option, value, "ParseBool")
        given[option.key] = value in _TRUE
    elif option.kind == "int":
        try:
            given[option.key] = int(value)
        except ValueError:
            raise _unparsable(option, value, "ParseInt") from None
    else:
        given[option.key] = value


def _unparsable(option: Option, value: str, function: str) -> _BadFlag:
    reason = f'strconv.{function}: parsing "{value}": invalid syntax'
    return _invalid(option, value, reason)


def _invalid(option: Option, value: str, reason: str) -> _BadFlag:
    return _BadFlag(f'invalid argument "{value}" for "{option.title}" flag: {reason}')


def _count(least: int, most: int | None) -> tuple[str, str]:
    """What is wrong with the number of arguments, and docker's word before the help hint."""
    if most == 0:
        return "accepts no arguments", "Run"
    if least == most:
        return f"requires {least} argument{'s' * (least != 1)}", "Run"
    if most is None:
        return f"requires at least {least} argument{'s' * (least != 1)}", "See"
    if least == 0:
        # docker 28 has this slip of the pen, and learners compare letter by letter.
        return f"requires at most {most} argument{'s' * (most != 1)}", "SRun"
    return f"requires at least {least} and at most {most} arguments", "Run"
