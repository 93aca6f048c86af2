"""Who serves a docker line: docker's own CLI, docker's SDK, or the course's own engine."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, TextIO

from dockerlab.engine import commands, current, second
from dockerlab.engine.docker import Docker, cli, login
from dockerlab.engine.docker.settling import settle

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.engine.docker.address import Address


def serve(words: Sequence[str], out: TextIO, err: TextIO, stdin: BinaryIO | None = None) -> int:
    """Carry out `docker WORDS` and return its exit status.

    With `stdin` it has a terminal: docker's CLI gets it, and `err` what it complains of. Without,
    it is a notebook's cell: all that docker's CLI writes goes to `err`.
    """
    engine = second.server(words, current())
    status = carry_out(words, engine, out, err, stdin)
    if not status and isinstance(engine, Docker):
        settle(words, engine.address)
    return status


def serve_typed(words: Sequence[str], out: TextIO, typed: bytes = b"") -> int:
    """Carry out `docker WORDS`, which reads `typed` and writes to `out`; its exit status."""
    engine = second.server(words, current())
    address = _by_cli(engine)
    if address is None:
        return commands.run(words, engine, out, out, BytesIO(typed) if typed else None)
    try:
        return cli.stream(words, address, out, typed)
    except OSError as error:
        print(commands.unusable(error, engine), file=out)
        return 1


def complete(words: Sequence[str]) -> list[str]:
    """What the last of `words` (after `docker`, maybe "") may become."""
    engine = second.server(words, current())
    address = _by_cli(engine)
    return cli.complete(words, address) if address else commands.complete(words, engine)


def carry_out(
    words: Sequence[str],
    engine: Engine,
    out: TextIO,
    err: TextIO,
    stdin: BinaryIO | None = None,
) -> int:
    """Let an engine carry out `docker WORDS`, by docker's CLI where it has one; its exit status."""
    address = _by_cli(engine)
    if address is None:
        return _carry_out(words, engine, out, err, stdin)
    try:
        return _hand_over(words, address, err, stdin)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(commands.unusable(error, engine), file=err)
        return 1


def _carry_out(
    words: Sequence[str], engine: Engine, out: TextIO, err: TextIO, stdin: BinaryIO | None
) -> int:
    if stdin is not None or not login.is_login(words):
        return commands.run(words, engine, out, err, stdin)

    def run(words: Sequence[str], out: TextIO, typed: bytes) -> int:
        return commands.run(words, engine, out, out, BytesIO(typed) if typed else None)

    return login.login(words, err, run)


def _hand_over(words: Sequence[str], address: Address, err: TextIO, stdin: BinaryIO | None) -> int:
    if stdin is not None:
        return cli.attach(words, address, err)

    def run(words: Sequence[str], out: TextIO, typed: bytes) -> int:
        return cli.stream(words, address, out, typed)

    return login.login(words, err, run) if login.is_login(words) else run(words, err, b"")


def _by_cli(engine: object) -> Address | None:
    """The address of an engine that docker's CLI serves."""
    return engine.address if isinstance(engine, Docker) and cli.program() else None
