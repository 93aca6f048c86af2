"""One blob on its way from an upstream into the storage; those who want it read along."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import ParamSpec, TypeVar

from dockerlab.image import digest as digests
from dockerlab.registry.storage import Storage
from dockerlab.registry.upstream import Upstream, said

_PIECE = 1024 * 1024
_SMALL = 64 * 1024  # bytes; so much comes so fast that nobody has to read along
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Download:
    """Fetches a blob for the repository `name`, whoever goes away; calls `ended` at the end.

    A reader gets the last byte only when the whole blob was verified and kept.
    """

    def __init__(
        self,
        storage: Storage,
        upstream: Upstream,
        name: str,
        digest: str,
        ended: Callable[[], object],
    ) -> None:
        self._storage, self._upstream, self._ended = storage, upstream, ended
        self.name, self.digest, self.size = name, digest, 0
        self._path: Path | None = None  # of the file to read from; None while it is moved
        self._readable = self._reading = 0
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.ensure_future(apart(self._fetch))
        self._work.add_done_callback(self._end)

    @property
    def is_whole(self) -> bool:
        """Whether the blob is in the storage."""
        return self._work.done() and not self._work.exception()

    async def begun(self) -> None:
        """Return when some of a large blob is here, or all of a small one; or raise the error."""
        while not self._work.done() and (self.size <= _SMALL or not self._readable):
            await self._changed.wait()
        if self._work.done():
            self._work.result()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The blob, as it comes; EOFError if it does not come whole."""
        position = 0
        while position < self.size:
            piece = await self._read(position)
            position += len(piece)
            yield piece

    async def _read(self, position: int) -> bytes:
        while not self._path or position >= self._readable:
            if self._work.done() and isinstance(error := self._work.exception(), Exception):
                raise EOFError(f"{self.digest} did not come whole: {said(error)}")
            await self._changed.wait()
        self._reading += 1
        try:
            size = min(_PIECE, self._readable - position)
            return await asyncio.to_thread(_piece, self._path, position, size)
        finally:
            self._reading -= 1
            self._wake()

    def _fetch(self) -> None:
        found = self._upstream.find_blob(self.name, self.digest)
        algorithm, _ = digests.split(self.digest)
        upload = self._storage.begin(self.name, algorithm)
        try:
            self.size, self._path = found.size, upload.data
            received = 0
            for chunk in self._upstream.stream(self.name, found):
                upload.write([chunk])
                received += len(chunk)
                self._readable = min(received, found.size - 1)
                self._loop.call_soon_threadsafe(self._wake)
            upload.close()
            asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result()
            self._storage.keep(self.name, self.digest, upload)
        finally:
            self._storage.finish(upload)
        kept = self._storage.blob(self.name, self.digest)
        self._path, self._readable = kept and kept.path, found.size

    async def _let_go(self) -> None:
        """Return when nobody has the file open, which Windows could not move then."""
        self._path = None
        while self._reading:
            await self._changed.wait()

    def _end(self, work: asyncio.Future[None]) -> None:
        if not work.cancelled():
            work.exception()  # now it is no surprise, even if nobody waits for it
        self._ended()
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def apart(
    work: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
) -> _Result:
    """What `work` gives, in a thread of its own: one that may take long and must not be waited for.

    The threads of asyncio are few, and the process does not end before they have.
    """
    future: Future[_Result] = Future()
    future.set_running_or_notify_cancel()  # whoever waits may go away, and nobody stops the thread

    def run() -> None:
        try:
            future.set_result(work(*given, **named))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)


def _piece(path: Path, position: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(position)
        piece = file.read(size)
    if not piece:
        raise EOFError(f"{path} became shorter")
    return piece
