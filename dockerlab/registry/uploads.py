"""A blob on its way in: bytes are appended until they are what their digest says."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dockerlab.errors import DigestMismatch
from dockerlab.image import digest as digests
from dockerlab.registry.threads import shortly

if TYPE_CHECKING:
    from hashlib import _Hash
    from io import FileIO

T = TypeVar("T")
PIECE = 512 * 1024  # bytes hashed and written at a time
_SHORT = 64 * 1024  # bytes that are written and hashed in no time
_BUDGET = 16 * PIECE  # bytes that wait to be written, of a few dozen uploads together


class TooLarge(Exception):
    """A blob is larger than the registry takes."""


class Upload:
    """The upload in `folder`, which is named after its UUID. Methods block; hold `turn`."""

    def __init__(self, folder: Path, algorithm: str = "sha256") -> None:
        self.folder = folder
        self.algorithm = algorithm  # with which bytes are hashed on their way in
        self.turn = asyncio.Lock()
        self.allow: Callable[[int], object] = int  # told of each piece's size; raises if too much
        self._file: FileIO | None = None
        self._hash: _Hash | None = None
        self._hashed = 0

    @classmethod
    def begin(cls, folder: Path, algorithm: str = "sha256") -> Upload:
        """Make the folder and start from nothing."""
        folder.mkdir()
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            (folder / "startedat").write_text(now, encoding="ascii")
            (folder / "data").touch()
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, algorithm)

    @property
    def id(self) -> str:
        """The upload's UUID."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """The file that holds the bytes so far."""
        return self.folder / "data"

    @property
    def size(self) -> int:
        """How many bytes are here."""
        return self.data.stat().st_size

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append; when that fails (a full disk) the whole upload goes, and its space with it."""
        file = self._file or self._open()
        content = b"".join(pieces)
        rest = memoryview(content)
        try:
            self.allow(len(content))
            while rest:
                rest = rest[file.write(rest) :]
        except Exception:
            self.remove()
            raise
        if self._hash:
            self._hash.update(content)
            self._hashed += len(content)

    def close(self) -> None:
        """No more bytes for now."""
        if self._file:
            self._file.close()
            self._file = None

    def verify(self, digest: str) -> None:
        """DigestMismatch unless the bytes are those that `digest` names."""
        algorithm, _ = digests.split(digest)
        whole = self._hash
        if not whole or whole.name != algorithm or self._hashed != self.size:
            whole = self._rehash(algorithm)
        actual = f"{algorithm}:{whole.hexdigest()}"
        if actual != digest:
            raise DigestMismatch(digest, actual)

    def remove(self) -> None:
        """Forget the upload and its bytes."""
        self.close()
        try:
            for name in ("data", "startedat"):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self) -> FileIO:
        self._file = self.data.open("ab", buffering=0)
        size = self._file.tell()
        if size == 0:
            self._hash, self._hashed = hashlib.new(self.algorithm), 0
        elif size != self._hashed:
            self._hash = None  # another process wrote some of it: hash all at the end
        return self._file

    def _rehash(self, algorithm: str) -> _Hash:
        whole = hashlib.new(algorithm)
        with self.data.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                whole.update(piece)
        return whole


class Receiver:
    """Takes in bodies; all together hold no more than a few dozen MiB, however many they are."""

    def __init__(self) -> None:
        self._running = 0

    async def receive(
        self,
        upload: Upload,
        chunks: AsyncIterator[bytes],
        total: int,
        most: int,
        then: Callable[[], T],
    ) -> T:
        """Append all chunks to the `total` bytes that are there, do `then`, and give its result.

        A thread hashes and writes one piece while the next comes in. TooLarge if there are more
        than `most` bytes.
        """
        writing: asyncio.Future[None] | None = None
        pieces: list[bytes] = []
        size = 0
        last: Callable[[], T] | None = None
        self._running += 1
        try:
            async for chunk in chunks:
                pieces.append(chunk)
                size += len(chunk)
                total += len(chunk)
                if total > most:
                    raise TooLarge
                if size >= min(PIECE, _BUDGET // self._running):
                    if writing:
                        await writing
                    writing = asyncio.ensure_future(asyncio.to_thread(upload.write, pieces))
                    pieces, size = [], 0
            last = then
        finally:  # what came before a connection broke is kept
            self._running -= 1
            try:
                if writing:
                    await writing
            except Exception:  # and the upload is gone
                pieces, last = [], None
                raise
            finally:
                do = shortly if total <= _SHORT else asyncio.to_thread
                result = await do(_end, upload, pieces, last)
        return result


def _end(upload: Upload, pieces: list[bytes], then: Callable[[], T] | None) -> T:
    try:
        if any(pieces):
            upload.write(pieces)
    finally:
        upload.close()
    return then() if then else None  # type: ignore[return-value]
