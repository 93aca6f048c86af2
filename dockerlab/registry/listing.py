"""Names in order, from folders of any size, in constant memory."""

from __future__ import annotations

import os
import re
import time
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

_CHUNK = 4096  # names that are held at a time
_FOLDERS = 32  # large folders of which one chunk is remembered
_COMPONENT = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")  # nothing that leads elsewhere
_LONGEST = 255  # bytes of a file's name
_FRESH = 1_000_000_000  # ns; a folder that changed so lately may change unseen by its clock


class _Chunk(NamedTuple):
    after: str
    names: list[str]
    more: bool
    stamp: int


class Listing:
    """Reads folders; remembers of a large one the chunk that was read last."""

    def __init__(self) -> None:
        self._chunks: dict[Path, _Chunk] = {}

    def names(self, folder: Path, after: str = "") -> Iterator[str]:
        """The names in a folder that come after `after`, in order."""
        more = True
        while more:
            found, more = self._read(folder, after)
            yield from found
            after = found[-1] if found else after

    def repositories(self, folder: Path, after: str = "", above: str = "") -> Iterator[str]:
        """The repositories below a folder that come after `after`, in the order of their names.

        `a-b` comes between `a` and `a/c`: so what lies below `a` waits until names that follow
        are past `a/`. What waits last comes first, as its name is the longer one.
        """
        waiting: list[str] = []
        for name in chain(self._components(folder, after, above), [None]):
            while waiting and (name is None or waiting[-1] + "/" < name):
                inner = waiting.pop()
                yield from self.repositories(folder / inner, after, f"{above}{inner}/")
            if name is not None and not name.startswith("_"):
                if above + name > after and is_repository(folder / name):
                    yield above + name
                waiting.append(name)

    def _components(self, folder: Path, after: str, above: str) -> Iterator[str]:
        rest = after[len(above) :] if after.startswith(above) else ""
        first = rest.partition("/")[0]
        cuts = [at for at, letter in enumerate(first[:_LONGEST]) if letter <= "/"] + [len(first)]
        for at in cuts:  # what begins as `after` does may hold what follows it
            if _COMPONENT.fullmatch(first, 0, at) and os.path.isdir(folder / first[:at]):
                yield first[:at]
        yield from self.names(folder, rest)

    def _read(self, folder: Path, after: str) -> tuple[list[str], bool]:
        try:
            stamp = folder.stat().st_mtime_ns
            chunk = self._chunks.get(folder)
            if not (
                chunk
                and chunk.stamp == stamp
                and chunk.names
                and chunk.after <= after < chunk.names[-1]
            ):
                chunk = self._scan(folder, after, stamp)
        except (FileNotFoundError, NotADirectoryError):
            return [], False
        return chunk.names[bisect_right(chunk.names, after) :], chunk.more

    def _scan(self, folder: Path, after: str, stamp: int) -> _Chunk:
        names: list[str] = []
        last, more = None, False
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name > after and (last is None or name < last):
                    names.append(name)
                    if len(names) == 2 * _CHUNK:
                        names.sort()
                        del names[_CHUNK:]
                        last, more = names[-1], True
        names.sort()
        more = more or len(names) > _CHUNK
        chunk = _Chunk(after, names[:_CHUNK], more, stamp)
        if more and time.time_ns() - stamp > _FRESH:
            self._chunks.pop(folder, None)
            self._chunks[folder] = chunk
            for oldest in list(self._chunks)[:-_FOLDERS]:
                self._chunks.pop(oldest, None)
        return chunk


def is_repository(folder: Path) -> bool:
    """Whether a folder holds a repository, not only others below it."""
    return (folder / "_manifests").is_dir() or (folder / "_layers").is_dir()
