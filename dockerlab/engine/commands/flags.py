"""How docker reads flags.

The rules are those of Go's pflag, which no Python library follows: a flag without a value may
still be given one (`--rm=false`), short flags are joined (`-dp 5000:5000`), and flags may follow
arguments, except where the rest belongs to the container (`docker run IMAGE …`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_MANY = {"list", "filter", "map", "mount", "network", "ulimit"}


@dataclass(frozen=True)
class Option:
    """A flag: its names, the kind of its value as the help shows it, and its default.

    `support` is "" if the flag works, "harmless" or "unlisted" (and not in the help) if it may be
    ignored, "idle" if only the embedded engine may ignore it, "engine" if it takes a Docker Engine;
    only a flag that works is given to the command's function. `check` says what is wrong with a
    value, or "". `absent` is the value of a text that is not given.
    """

    name: str
    short: str = ""
    help: str = ""
    kind: str = "bool"
    default: Any = None
    support: str = ""
    check: Callable[[str], str] | None = None
    absent: str | None = ""

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
        return self.default if self.default is not None or self.kind != "string" else self.absent

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


class HelpWanted(Exception):
    """`--help` was among the flags, or `-h`, which comes with a warning."""


class BadFlag(Exception):
    """A flag that pflag would not take, in its words."""


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
        raise BadFlag(f"bad flag syntax: --{word}")
    option = options.get(name)
    if option is None:
        if name == "help":
            raise HelpWanted
        raise BadFlag(f"unknown flag: --{name}")
    if not equals:
        if option.kind == "bool":
            value = "true"
        elif rest:
            value = rest.pop(0)
        else:
            raise BadFlag(f"flag needs an argument: --{name}")
    _take(option, value, given)


def _short(word: str, options: dict[str, Option], rest: list[str], given: dict[str, Any]) -> None:
    while word:
        option = options.get(word[0])
        if option is None:
            if word[0] == "h":
                raise HelpWanted("Flag shorthand -h has been deprecated, use --help")
            raise BadFlag(f"unknown shorthand flag: '{word[0]}' in -{word}")
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
            raise BadFlag(f"flag needs an argument: '{word[0]}' in -{word}")
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


def _unparsable(option: Option, value: str, function: str) -> BadFlag:
    reason = f'strconv.{function}: parsing "{value}": invalid syntax'
    return _invalid(option, value, reason)


def _invalid(option: Option, value: str, reason: str) -> BadFlag:
    return BadFlag(f'invalid argument "{value}" for "{option.title}" flag: {reason}')
