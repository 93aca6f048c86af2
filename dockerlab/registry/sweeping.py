"""How garbage leaves a registry's directory while registries write to it.

What is to go is first taken in hand: renamed, so that nobody finds it. Only then it is looked at
once more. If somebody came for it meanwhile it is put back, and whoever misses it takes it back
(`Storage`); else it is removed. So no two need to wait for each other, and who dies in between
leaves a file that the next one who wants it finds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from filelock import FileLock

from dockerlab.image import digest as digests
from dockerlab.registry.disk import changed, names, rescue, taken, touch
from dockerlab.registry.storage import PROMISE, Storage, named


class Sweeper(Storage):
    """The registry directory, for the one who removes what nothing needs."""

    _began = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Collect garbage now, after whoever else does."""
        path = self._base / ".collecting"
        with FileLock(path):
            touch(path)
            self._began = path.stat().st_mtime_ns  # as the file system's clock counts
            yield

    def is_wanted(self, digest: str) -> bool:
        """Whether the blob is promised, or a manifest with it came or went since the beginning."""
        path = self._blob_path(digest)
        return any(changed(file) >= self._began for file in (path, taken(path)))

    def blobs(self) -> Iterator[str]:
        """The digests of all blobs, in order."""
        blobs = self._base / "blobs"
        for algorithm in digests.SIZES:
            for folder in sorted(names(blobs / algorithm)):
                yield from named(blobs / algorithm / folder, algorithm)

    def put_back(self, digest: str) -> None:
        """Put a blob back that somebody had in hand who died."""
        rescue(self._blob_path(digest))

    def remove_blob(self, digest: str) -> bool:
        """Remove a blob that no manifest names; False if it is wanted, or gone."""
        return _remove(self._blob_path(digest), lambda: self.is_wanted(digest))

    def remove_manifest(self, repository: str, digest: str, *subjects: str) -> bool:
        """Remove a manifest that has no tag; False if it or a subject is wanted, or it is gone."""
        link = self._revision(repository, digest)
        return _remove(link, lambda: any(map(self.is_wanted, (digest, *subjects))))

    def forget(self, repository: str) -> None:
        """Take manifests that are gone out of what tags pointed to, and bring all to the disk."""
        for tag in self.tags(repository) or ():
            index = self._manifests(repository) / "tags" / tag / "index"
            for digest in self._all(index):
                is_there = partial(self._read, self._revision(repository, digest))
                if not is_there():
                    _remove(index.joinpath(*digests.split(digest), "link"), is_there)
        for algorithm in digests.SIZES:
            with suppress(FileNotFoundError):
                self._disk.sync_folder(self._manifests(repository) / "revisions" / algorithm)

    def forget_blobs(self, repository: str) -> None:
        """Take out of the repository the blobs that are gone."""
        for digest in self._all(self._repository(repository) / "_layers"):
            link = self._layer(repository, digest)
            if self._data(digest):
                rescue(link)
            else:
                _remove(link, partial(self._data, digest))

    def _all(self, folder: Path) -> Iterator[str]:
        for algorithm in digests.SIZES:
            yield from named(folder / algorithm, algorithm)


def _remove(file: Path, is_wanted: Callable[[], object]) -> bool:
    """Remove a file and its folder; False if it is wanted, or gone, or taken back."""
    hand = taken(file)
    with suppress(FileNotFoundError):  # who took it the last time has died
        os.replace(file, hand)
    if is_wanted():
        rescue(file, PROMISE)
        return False
    try:
        hand.unlink()
    except FileNotFoundError:
        return False
    with suppress(OSError):  # something came into it
        file.parent.rmdir()
    return True
