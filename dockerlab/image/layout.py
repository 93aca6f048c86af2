"""An OCI image layout on disk (image-spec, image-layout.md): blobs, and an index of names.

Every write is atomic: a file grows in `.partial/` and gets its final name only when it is whole
and verified. Several threads and processes may use one layout: blobs never change, and
`index.json` is changed under a lock.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from dockerlab.errors import BlobMissing, InvalidManifest, LayoutError, SizeMismatch
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_INDEX, Descriptor, Manifest, encode

REF_NAME = "org.opencontainers.image.ref.name"
_PARTIAL = ".partial"
_STALE = 3600  # seconds without a write after which a partial file is nobody's any more
_OWN = {".lock", _PARTIAL, "blobs", "index.json", "oci-layout"}


@dataclass(frozen=True)
class Entry:
    """A line of the index: a manifest, and the name it goes by (none if dangling)."""

    name: str | None
    descriptor: Descriptor


class BlobWriter:
    """Takes the bytes of one blob; nothing is seen of it before `Layout.writer` ends well."""

    def __init__(self, layout: Path, file: IO[bytes], digest: str) -> None:
        self._layout, self._file = layout, file
        self.verifier = digests.Verifier(digest)

    def write(self, chunk: bytes | memoryview) -> None:
        """Append the next bytes; LayoutError if the disk takes no more."""
        self.verifier.update(chunk)
        _write(self._layout, self._file, chunk)


class Layout:
    """The OCI layout in `path`; made there if `path` is empty or not there yet."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = FileLock(self.path / ".lock")
        self._swept = False
        try:
            with _disk(self.path):
                if not (self.path / "oci-layout").exists():
                    self._create()
                version = json.loads((self.path / "oci-layout").read_bytes())["imageLayoutVersion"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise LayoutError(self.path, "oci-layout is not readable") from None
        if version != "1.0.0":
            raise LayoutError(self.path, f"it has version {version}")

    def blob_path(self, digest: str) -> Path:
        """Where the blob of that digest lies, or would."""
        return self.path.joinpath("blobs", *digests.split(digest))

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the blob is here with the size it should have."""
        try:
            return self.blob_path(descriptor.digest).stat().st_size == descriptor.size
        except OSError:
            return False

    def read(self, digest: str) -> bytes:
        """A whole, small blob, verified; BlobMissing or DigestMismatch."""
        try:
            with _disk(self.path):
                content = self.blob_path(digest).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(digest) from None
        verifier = digests.Verifier(digest)
        verifier.update(content)
        verifier.check()
        return content

    def open(self, descriptor: Descriptor) -> IO[bytes]:
        """The blob as an open file; BlobMissing, or SizeMismatch if it was cut short."""
        path = self.blob_path(descriptor.digest)
        try:
            with _disk(self.path):
                size = path.stat().st_size
                if size != descriptor.size:
                    raise SizeMismatch(descriptor.digest, descriptor.size, size)
                return path.open("rb")
        except FileNotFoundError:
            raise BlobMissing(descriptor.digest) from None

    @contextmanager
    def writer(self, descriptor: Descriptor) -> Iterator[BlobWriter]:
        """Write a blob: `with layout.writer(d) as w: w.write(…)`; kept only if it verifies."""
        path = self.blob_path(descriptor.digest)
        self._sweep()
        with self._replacing(path) as file:
            writer = BlobWriter(self.path, file, descriptor.digest)
            yield writer
            if writer.verifier.size != descriptor.size:
                raise SizeMismatch(descriptor.digest, descriptor.size, writer.verifier.size)
            writer.verifier.check()

    def add(self, content: bytes, media_type: str) -> Descriptor:
        """Store `content` and return what points to it."""
        descriptor = Descriptor(media_type, digests.of(content), len(content))
        if not self.has(descriptor):
            with self.writer(descriptor) as writer:
                writer.write(content)
        return descriptor

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """The manifest that `descriptor` points to."""
        return Manifest.parse(self.read(descriptor.digest), descriptor.media_type)

    def entries(self) -> tuple[Entry, ...]:
        """All lines of the index, in order."""
        try:
            with _disk(self.path):
                data = json.loads((self.path / "index.json").read_bytes())
            return tuple(_entry(item) for item in data["manifests"])
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError, RecursionError, InvalidManifest):
            raise LayoutError(self.path, "index.json is not readable") from None

    def resolve(self, name: str) -> Descriptor | None:
        """What `name` points to."""
        found = (entry.descriptor for entry in self.entries() if entry.name == name)
        return next(found, None)

    def update(self, change: Callable[[tuple[Entry, ...]], Iterable[Entry]]) -> None:
        """Replace the index by `change(entries)`, alone among all processes."""
        with self.locked():
            self._write_index(change(self.entries()))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the index to this thread for longer than one `update` (which may be nested)."""
        with _disk(self.path):
            self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def _create(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        if not {child.name for child in self.path.iterdir()} <= _OWN:
            raise LayoutError(self.path, "it holds other files")
        with self.locked():
            if not (self.path / "oci-layout").exists():
                if not (self.path / "index.json").exists():
                    self._write_index(())
                with self._replacing(self.path / "oci-layout") as file:
                    _write(self.path, file, b'{"imageLayoutVersion":"1.0.0"}')

    def _sweep(self) -> None:
        """Once, remove what processes left behind that were killed while they wrote."""
        if self._swept:
            return
        self._swept = True
        with suppress(OSError):
            for leftover in (self.path / _PARTIAL).iterdir():
                if time.time() - leftover.stat().st_mtime > _STALE:
                    leftover.unlink()

    def _write_index(self, entries: Iterable[Entry]) -> None:
        index: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [_line(entry) for entry in entries],
        }
        with self._replacing(self.path / "index.json") as file:
            _write(self.path, file, encode(index))

    @contextmanager
    def _replacing(self, path: Path) -> Iterator[IO[bytes]]:
        """A new file that takes the place of `path` at the end, if nothing fails before."""
        with _disk(self.path):
            (self.path / _PARTIAL).mkdir(exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path / _PARTIAL)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                yield file
            with _disk(self.path):
                os.replace(name, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise


def _entry(item: dict[str, Any]) -> Entry:
    descriptor = Descriptor.from_json(item)
    rest = {key: text for key, text in descriptor.annotations.items() if key != REF_NAME}
    plain = Descriptor(
        descriptor.media_type, descriptor.digest, descriptor.size, descriptor.platform, rest
    )
    return Entry(descriptor.annotations.get(REF_NAME), plain)


def _line(entry: Entry) -> dict[str, Any]:
    data = entry.descriptor.to_json()
    if entry.name is not None:
        data["annotations"] = {**entry.descriptor.annotations, REF_NAME: entry.name}
    return data


def _write(layout: Path, file: IO[bytes], content: bytes | memoryview) -> None:
    """All of `content`; a disk that fills up takes a part first, and refuses the rest."""
    with _disk(layout):
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """LayoutError for what the system refuses, except that a file is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (FileExistsError, NotADirectoryError):
        raise LayoutError(path, "it is not a folder") from None
    except OSError as error:
        raise LayoutError(path, (error.strerror or str(error)).lower()) from error
