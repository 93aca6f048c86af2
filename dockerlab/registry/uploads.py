"""A blob on its way in: bytes are appended until they are what their digest says."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from dockerlab.errors import DigestMismatch
from dockerlab.image import digest as digests

if TYPE_CHECKING:
    from hashlib import _Hash
    from io import FileIO

PIECE = 1024 * 1024  # bytes hashed and written at a time


class Upload:
    """The upload in `folder`, which is named after its UUID. Methods block; hold `turn`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.turn = asyncio.Lock()
        self._file: FileIO | None = None
        self._hash: _Hash | None = None
        self._hashed = 0

    @classmethod
    def begin(cls, folder: Path) -> Upload:
        """Make the folder and start from nothing."""
        folder.mkdir()
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            (folder / "startedat").write_text(now, encoding="ascii")
            (folder / "data").touch()
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder)

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

    def open(self, algorithm: str = "sha256") -> None:
        """Get ready to append, hashing with `algorithm` if this starts from nothing."""
        self._file = self.data.open("ab", buffering=0)
        size = self._file.tell()
        if size == 0:
            self._hash, self._hashed = hashlib.new(algorithm), 0
        elif size != self._hashed:
            self._hash = None  # another process wrote some of it: hash all at the end

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append; when that fails (a full disk) the whole upload goes, and its space with it."""
        assert self._file
        content = b"".join(pieces)
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
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
        shutil.rmtree(self.folder, ignore_errors=True)

    def _rehash(self, algorithm: str) -> _Hash:
        whole = hashlib.new(algorithm)
        with self.data.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                whole.update(piece)
        return whole


async def receive(upload: Upload, chunks: AsyncIterator[bytes], algorithm: str = "sha256") -> None:
    """Append all chunks; a thread hashes and writes one piece while the next comes in."""
    await asyncio.to_thread(upload.open, algorithm)
    writing: asyncio.Future[None] = asyncio.ensure_future(asyncio.sleep(0))
    pieces: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            pieces.append(chunk)
            size += len(chunk)
            if size >= PIECE:
                await writing
                writing = asyncio.ensure_future(asyncio.to_thread(upload.write, pieces))
                pieces, size = [], 0
    finally:  # what came before a connection broke is kept
        try:
            await writing
            await asyncio.to_thread(upload.write, pieces)
        finally:
            upload.close()
