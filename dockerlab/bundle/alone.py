"""One installation at a time in a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dockerlab.bundle.mistakes import Busy


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, or Busy; the system lets go of it if this program dies."""
    with path.open("ab") as file:
        try:
            _lock(file.fileno())
        except OSError:
            raise Busy from None
        try:
            yield
        finally:
            with suppress(OSError):  # on Windows an open file stays
                path.unlink()


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
