"""What is inside layers: the files of a tar, packed or not (image-spec, layer.md)."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, cast

from dockerlab.errors import EngineError

_CHUNK = 1024 * 1024
_MAGIC: dict[bytes, Callable[[IO[bytes]], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


class Hashing(io.RawIOBase):
    """Reads from `source` and hashes what passes."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """The next bytes, as io.RawIOBase has it."""
        view = memoryview(cast(bytearray, buffer))
        chunk = self._source.read(len(view))
        view[: len(chunk)] = chunk
        self._hash.update(chunk)
        return len(chunk)

    @property
    def digest(self) -> str:
        """The digest of all bytes so far."""
        return f"sha256:{self._hash.hexdigest()}"


@contextmanager
def reading() -> Iterator[None]:
    """EngineError in docker's words for a tar that cannot be read."""
    try:
        yield
    except (EOFError, tarfile.ReadError) as error:
        cut = isinstance(error, EOFError) or "end of data" in str(error) or "trunc" in str(error)
        raise _broken("unexpected EOF" if cut else "archive/tar: invalid tar header") from None
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, lzma.LZMAError):
        raise _broken("archive/tar: invalid tar header") from None


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """The tar in `file`, which may be packed with gzip, bzip2 or xz."""
    start = file.read(6)
    file.seek(0)
    for magic, opener in _MAGIC.items():
        if start.startswith(magic):
            return cast("IO[bytes]", opener(file))
    return file


def measure(file: IO[bytes]) -> tuple[str, int]:
    """The digest of a layer's tar (its diff ID), and how many bytes its files have."""
    with reading():
        stream = Hashing(unpacked(file))
        buffered = io.BufferedReader(stream, _CHUNK)
        with tarfile.open(fileobj=buffered, mode="r|", bufsize=_CHUNK) as archive:
            size = 0
            for member in archive:
                size += member.size if member.isreg() else 0
                archive.members.clear()  # type: ignore[attr-defined]  # keeps memory flat
        while buffered.read(_CHUNK):
            pass
        return stream.digest, size


def read_file(layers: Iterable[IO[bytes]], path: str) -> bytes:
    """The file at `path` in an image, whose layers come topmost first; FileNotFoundError."""
    wanted = PurePosixPath("/", path)
    for layer in layers:
        content, hidden = _look(layer, wanted)
        if content is not None:
            return content
        if hidden:
            break
    raise FileNotFoundError(path)


def _look(layer: IO[bytes], wanted: PurePosixPath) -> tuple[bytes | None, bool]:
    """The file in this layer, and whether the layers below are no place to look for it."""
    whiteouts = {folder.parent / (_WHITEOUT + folder.name) for folder in (wanted, *wanted.parents)}
    whiteouts |= {folder / _OPAQUE for folder in wanted.parents}
    content, hidden = None, False
    with reading(), tarfile.open(fileobj=unpacked(layer), mode="r|") as archive:
        for member in archive:
            name = PurePosixPath("/", member.name)
            if name in whiteouts:
                hidden = True
            elif name == wanted:
                file = archive.extractfile(member) if member.isreg() else None
                content, hidden = (file.read() if file else None), True
    return content, hidden


def _broken(reason: str) -> EngineError:
    return EngineError(f"Error processing tar file(exit status 1): {reason}")
