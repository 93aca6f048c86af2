"""docker's command line over the embedded engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO, TextIO

from dockerlab.engine.commands.parse import COMMANDS, HelpWanted, Session, parse
from dockerlab.errors import DockerlabError

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded

_MODULES = ("container", "run", "volume", "system", "image", "transfer")


def run(
    argv: Sequence[str],
    engine: Embedded,
    out: TextIO,
    err: TextIO,
    stdin: BinaryIO | None = None,
) -> int:
    """Carry out `docker ARGV` and return its exit status; a learner's mistake never raises."""
    _load()
    session = Session(engine, out, err, stdin)
    try:
        for length in (2, 1):
            name = " ".join(argv[:length])
            if name in COMMANDS:
                found = COMMANDS[name]
                arguments, options = parse(found, name, argv[length:])
                return found.action(session, *arguments, **options) or 0
    except DockerlabError as error:
        session.complain(str(error))
        return int(getattr(error, "status", 1))
    except HelpWanted:
        return 0
    session.complain(
        f"docker: unknown command: docker {argv[0]}\n\nRun 'docker --help' for more information"
    )
    return 1


def complete(words: Sequence[str], engine: Embedded) -> list[str]:
    """What the last of `words` (after `docker`, maybe "") may become."""
    return []


@cache
def _load() -> None:
    for module in _MODULES:
        if find_spec(f"{__name__}.{module}"):
            import_module(f"{__name__}.{module}")
