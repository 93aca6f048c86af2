"""One blob on its way from a registry into the storage; those who want it read along."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

from dockerlab.registry.client import Registry
from dockerlab.registry.storage import Storage
from dockerlab.registry.uploads import Upload

_PIECE = 1024 * 1024
_PAUSE = 0.01  # seconds until a reader looks again


class Download:
    """Fetches a blob in a thread of its own, until `ended`.

    A reader gets the last byte only when the whole blob was verified and kept.
    """

    def __init__(self, storage: Storage, upstream: Registry) -> None:
        self._storage, self._upstream = storage, upstream
        self._name = self._digest = ""
        self._upload: Upload | None = None
        self._size: int | None = None
        self._readable = 0
        self._error: Exception | None = None
        self.ended = False

    def start(self, name: str, digest: str) -> None:
        """Begin to fetch a blob for the repository `name`."""
        self._name, self._digest = name, digest
        threading.Thread(target=self._run, daemon=True).start()

    async def begun(self) -> int:
        """The blob's size, as soon as it is known; or the error."""
        while self._size is None or self._error:
            await self._wait()
        return self._size

    async def pieces(self) -> AsyncIterator[bytes]:
        """The blob, as it comes; an error if it does not come whole."""
        position, size = 0, await self.begun()
        while position < size:
            piece = await asyncio.to_thread(self._read, position)
            if piece:
                position += len(piece)
                yield piece
            else:
                await self._wait()

    async def _wait(self) -> None:
        if self._error:
            raise self._error
        await asyncio.sleep(_PAUSE)

    def _read(self, position: int) -> bytes:
        blob = self._storage.blob(self._name, self._digest)
        path = blob.path if blob else self._upload and self._upload.data
        if self._readable <= position or not path:
            return b""
        try:
            with path.open("rb") as file:
                file.seek(position)
                return file.read(min(_PIECE, self._readable - position))
        except FileNotFoundError:  # just moved to its place
            return b""

    def _run(self) -> None:
        try:
            blob = self._upstream.find_blob(self._name, self._digest)
            self._upload = self._storage.begin(self._name)
            self._size = blob.size
            try:
                for chunk in self._upstream.stream(self._name, blob):
                    self._upload.write([chunk])
                    self._readable = min(self._readable + len(chunk), blob.size - 1)
                self._upload.close()
                self._storage.keep(self._name, self._digest, self._upload)
                self._readable = blob.size
            finally:
                self._storage.finish(self._upload)
        except Exception as error:  # whoever reads along raises it
            self._error = error
        finally:
            self.ended = True
