"""Blobs that no line of the index needs: who removes them, and when.

A pull writes blobs first and a line of the index last, and it relies on blobs that it finds. So
whoever works like that holds a lock of its own, which the system frees if the process is killed;
a sweep that sees one held leaves all blobs for the next sweep.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from filelock import FileLock, Timeout

from dockerlab.errors import DockerlabError
from dockerlab.image.layout import Layout

_BUSY = "busy"


@contextmanager
def busy(layout: Layout) -> Iterator[None]:
    """While this lasts, no process sweeps this layout."""
    marker = layout.path / _BUSY / uuid4().hex
    with layout.locked():
        marker.parent.mkdir(exist_ok=True)
        lock = FileLock(marker)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):  # another process may be looking at it
            marker.unlink()


def sweep(layout: Layout) -> None:
    """Remove blobs that nothing points to, unless a process may be about to."""
    with layout.locked():
        if _anyone_busy(layout):
            return
        reachable = set(_reachable(layout))
        for algorithm in (layout.path / "blobs").glob("*"):
            for blob in algorithm.iterdir():
                if f"{algorithm.name}:{blob.name}" not in reachable:
                    with suppress(OSError):  # Windows keeps what is being read
                        blob.unlink()


def is_quiet(layout: Layout) -> bool:
    """Whether no process is just bringing something into this layout."""
    with layout.locked():
        return not _anyone_busy(layout)


def _anyone_busy(layout: Layout) -> bool:
    for marker in (layout.path / _BUSY).glob("*"):
        try:
            with FileLock(marker, timeout=0):
                pass
        except Timeout:
            return True
        with suppress(OSError):
            marker.unlink()  # its process was killed
    return False


def _reachable(layout: Layout) -> Iterator[str]:
    for descriptor in {entry.descriptor for entry in layout.entries()}:
        yield descriptor.digest
        with suppress(DockerlabError):  # a broken image keeps nothing
            yield from (blob.digest for blob in layout.manifest(descriptor).blobs)
