"""A bundle that is opened: checked before anything is done with it."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from dockerlab.bundle import manifest
from dockerlab.bundle.manifest import Manifest
from dockerlab.bundle.mistakes import BrokenBundle, NewerBundle, NoBundle, Unreadable

_PIECE = 1024 * 1024


class Bundle:
    """The bundle at `path`, whose every file is what the manifest says."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        raw = self._read(manifest.NAME)
        self.digest = hashlib.sha256(raw).hexdigest()
        try:
            read = manifest.decode(raw)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BrokenBundle(path, manifest.NAME) from None
        if read is None:
            raise NewerBundle(path)
        self.manifest: Manifest = read

    def check(self) -> None:
        """BrokenBundle if any file is missing, changed, or of somebody else."""
        names = set(self._archive.namelist()) - {manifest.NAME}
        for name in sorted(names ^ set(self.manifest.files)):
            raise BrokenBundle(self.path, name)
        for name, (digest, size) in self.manifest.files.items():
            self._copy(name, digest, size, None)

    def extract(self, names: Iterable[str], folder: Path) -> Iterator[Path]:
        """Put files of it into `folder`, without the folders of their names."""
        for name in names:
            path = folder / PurePosixPath(name).name
            self._copy(name, *self.manifest.files[name], path)
            yield path

    def _copy(self, name: str, digest: str, size: int, target: Path | None) -> None:
        found = hashlib.sha256()
        try:
            with self._archive.open(name) as source:
                file = target.open("wb") if target else None
                try:
                    while piece := source.read(_PIECE):
                        found.update(piece)
                        if file:
                            file.write(piece)
                finally:
                    if file:
                        file.close()
        except _BROKEN:
            raise BrokenBundle(self.path, name) from None
        if found.hexdigest() != digest or self._archive.getinfo(name).file_size != size:
            raise BrokenBundle(self.path, name)

    def _read(self, name: str) -> bytes:
        try:
            return self._archive.read(name)
        except KeyError:
            raise NoBundle(self.path) from None
        except _BROKEN:
            raise BrokenBundle(self.path, name) from None


_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError)


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """A checked bundle; NoBundle, BrokenBundle, NewerBundle, Unreadable."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError):
        raise NoBundle(path) from None
    except OSError as error:
        raise Unreadable(path, error.errno) from None
    with archive:
        bundle = Bundle(path, archive)
        bundle.check()
        yield bundle


def is_bundle(path: Path) -> bool:
    """Whether a file is a bundle, as far as its list of files tells."""
    try:
        with zipfile.ZipFile(path) as archive:
            return manifest.NAME in archive.namelist()
    except (zipfile.BadZipFile, EOFError, ValueError, OSError):
        return False
