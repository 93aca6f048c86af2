"""What containers write, on its way to the learner."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import TextIO

from dockerlab.engine.base import Chunk


def show(chunks: Iterable[Chunk], out: TextIO, err: TextIO) -> None:
    """Write what comes, when it comes, to where it belongs; a character may come in two halves."""
    make = codecs.getincrementaldecoder("utf-8")
    decoders = {False: make("replace"), True: make("replace")}
    for is_error, chunk in chunks:
        target = err if is_error else out
        target.write(decoders[is_error].decode(chunk))
        target.flush()
