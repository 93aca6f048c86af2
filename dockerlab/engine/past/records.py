"""The states that are kept, as they lie on the disk."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dockerlab.engine import state
from dockerlab.engine.home import private

FILE, NEW, GONE, SWAP = "state.json", ".new", ".gone-", "swap"
_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class Kept:
    """A state in `folder`; `what` ("goto", "reset") and the `lesson` say what came after it.

    `undone`: it comes after the present one, not before. `running` maps each docker host of the
    embedded engine to the ids of its containers that ran; `engine` is the address of the Docker
    Engine that is part of it, or "".
    """

    folder: Path
    what: str
    lesson: str
    when: str
    undone: bool = False
    engine: str = ""
    running: dict[str, list[str]] = field(default_factory=dict)

    @property
    def hosts(self) -> Path:
        """The folder of its docker hosts."""
        return self.folder / "hosts"

    @property
    def swap(self) -> Path:
        """The folder of the state that it changes places with."""
        return self.folder / SWAP

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        total = 0
        for folder, _, files in os.walk(self.folder):
            for name in files:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def write(self, folder: Path) -> Kept:
        """The same, written to `folder`."""
        data = asdict(self)
        del data["folder"]
        state.write(private(folder) / FILE, {"version": 1, **data})
        return Kept(folder, **data)


def read(folder: Path) -> Kept | None:
    """The state in `folder`; None if there is none that can be understood."""
    try:
        data: dict[str, Any] = state.read(folder / FILE)
        data.pop("version")
        return Kept(folder, **data)
    except (OSError, state.Damaged, KeyError, TypeError):
        return None


def all_in(past: Path) -> Sequence[Kept]:
    """All that is kept, the oldest first."""
    names = os.listdir(past) if past.is_dir() else []
    found = (read(past / name) for name in sorted(filter(_NUMBER.fullmatch, names), key=int))
    return [kept for kept in found if kept]


def next_in(past: Path) -> Path:
    """The folder of the next one."""
    numbers = [int(name) for name in os.listdir(past) if _NUMBER.fullmatch(name)]
    return past / f"{max(numbers, default=0) + 1:04}"


def drop(folder: Path) -> None:
    """Delete one; what is half deleted is never taken for a state."""
    gone = folder.with_name(GONE + folder.name)
    remove(gone)
    if folder.exists():
        os.replace(folder, gone)
        remove(gone)


def remove(folder: Path) -> None:
    """Delete a folder, as far as it goes; the rest goes the next time."""
    shutil.rmtree(folder, ignore_errors=True)


def replace(kept: Kept) -> None:
    """Let the state in its `swap` take the place of one that is the present one now."""
    gone = kept.folder.with_name(GONE + kept.folder.name)
    remove(gone)
    os.replace(kept.folder, gone)
    os.replace(gone / SWAP, kept.folder)
    remove(gone)


def tidy(past: Path) -> None:
    """Bring to an end what `drop` and `replace` have begun."""
    for name in os.listdir(past) if past.is_dir() else ():
        if name.startswith(GONE):
            folder, gone = past / name.removeprefix(GONE), past / name
            if (gone / SWAP / FILE).exists() and not folder.exists():
                os.replace(gone / SWAP, folder)
            remove(gone)
