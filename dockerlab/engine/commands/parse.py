"""How docker reads a command line: commands and arguments, with cobra's words for mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from dockerlab.engine.commands.flags import (
    FORMAT,
    TABLE_FORMAT,
    BadFlag,
    HelpWanted,
    Option,
    flag,
    many,
    number,
    read,
    text,
)
from dockerlab.errors import DockerlabError, EngineError, NeedsEngine

__all__ = [
    "COMMANDS",
    "FORMAT",
    "TABLE_FORMAT",
    "Command",
    "HelpWanted",
    "Option",
    "Session",
    "UsageError",
    "command",
    "flag",
    "many",
    "number",
    "parse",
    "parse_global",
    "text",
]

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine


@dataclass
class Session:
    """One run of a command: on which engine, and where to write."""

    engine: Engine
    out: TextIO
    err: TextIO
    stdin: BinaryIO | None = None

    @property
    def has_terminal(self) -> bool:
        """Whether a container can be given the learner's terminal: a Docker Engine's cannot."""
        return self.engine.name == "embedded" and self.stdin is not None and self.stdin.isatty()

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


def parse(
    found: Command, name: str, words: Sequence[str], *, lacking: Sequence[str] = ("engine",)
) -> tuple[list[str], dict[str, Any]]:
    """Arguments and options of `docker NAME WORDS`; UsageError or HelpWanted.

    NeedsEngine for a flag whose `support` is among those that are `lacking`.
    """
    usage, path = found.use_line(name), f"docker {name}"
    try:
        arguments, given = read(words, found.options, found.interspersed)
    except BadFlag as error:
        raise UsageError(str(error), path, usage, 125) from None
    least, most = found.arguments
    if len(arguments) < least or (most is not None and len(arguments) > most):
        message, see = _count(least, most)
        raise UsageError(f"docker: '{path}' {message}", path, usage, 1, see)
    for option in found.options:
        if option.support in lacking and option.key in given:
            raise NeedsEngine(f"{path} --{option.name}", 125 if name.endswith("run") else 1)
    initial = {option.key: option.initial for option in found.options if not option.support}
    return arguments, initial | {key: given[key] for key in given if key in initial}


def parse_global(
    words: Sequence[str], options: Sequence[Option]
) -> tuple[list[str], dict[str, Any]]:
    """The command's words and the options of `docker [OPTIONS] COMMAND …`."""
    try:
        rest, given = read(words, options, interspersed=False)
    except BadFlag as error:
        usage = "docker [OPTIONS] COMMAND [ARG...]"
        raise UsageError(str(error), "docker", usage, 125) from None
    return rest, {option.key: option.initial for option in options} | given


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
