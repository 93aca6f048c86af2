"""What containers write, on its way to the learner."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TextIO

from dockerlab.engine.base import Chunk
from dockerlab.engine.container import Container

_TIME = re.compile(r'time="([^"]+)"')


def show(chunks: Iterable[Chunk], out: TextIO, err: TextIO) -> None:
    """Write what comes, when it comes, to where it belongs; a character may come in two halves."""
    make = codecs.getincrementaldecoder("utf-8")
    decoders = {False: make("replace"), True: make("replace")}
    for is_error, chunk in chunks:
        target = err if is_error else out
        target.write(decoders[is_error].decode(chunk))
        target.flush()


def dated(content: bytes, container: Container) -> Iterator[tuple[datetime, str]]:
    """The lines of a log with the time they carry, else with the time of the line before."""
    from dockerlab.engine.commands.format import parse_time

    last = parse_time(
        container.created if container.state.status == "created" else container.state.started
    )
    for line in content.decode(errors="replace").splitlines(keepends=True):
        found = _TIME.search(line)
        with suppress(ValueError):
            last = parse_time(found[1]) if found else last
        yield last, line
