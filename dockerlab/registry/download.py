"""One blob on its way from an upstream into the storage; those who want it read along."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import ParamSpec, TypeVar

from dockerlab.image import digest as digests
from dockerlab.image.manifest import Descriptor
from dockerlab.registry.files import portion
from dockerlab.registry.storage import Storage
from dockerlab.registry.upstream import Upstream, said

_SMALL = 64 * 1024  # bytes; so much comes so fast that nobody has to read along
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Download:
    """Fetches what `found` names for the repository `name`, whoever goes away.

    A reader gets the last byte only when the whole blob was verified and kept. `ended` is called
    at the end, whatever it is.
    """

    def __init__(
        self,
        storage: Storage,
        upstream: Upstream,
        name: str,
        found: Descriptor,
        ended: Callable[[], object],
    ) -> None:
        self._storage, self._upstream, self._ended = storage, upstream, ended
        self._name, self._found = name, found
        self._path: Path | None = None  # of the file to read from; None while it is moved
        self._readable = self._reading = self._readers = 0
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.ensure_future(apart(self._get))
        self._work.add_done_callback(self._end)

    async def begun(self) -> None:
        """Return when some of a large blob is here, or all of a small one; or raise the error."""
        while not self._work.done() and (self._found.size <= _SMALL or not self._readable):
            await self._changed.wait()
        if self._work.done():
            self._work.result()

    async def ended(self) -> None:
        """Return when all of it is here; or raise the error."""
        await asyncio.shield(self._work)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The blob, as it comes; EOFError if it does not come whole."""
        position = 0
        self._readers += 1
        try:
            while position < self._found.size:
                piece = await self._read(position)
                position += len(piece)
                yield piece
        finally:
            self._readers -= 1

    async def _read(self, position: int) -> bytes:
        while not self._path or position >= self._readable:
            if self._work.done() and isinstance(error := self._work.exception(), Exception):
                raise EOFError(f"{self._found.digest} did not come whole: {said(error)}")
            await self._changed.wait()
        size = min(portion(self._readers), self._readable - position)
        self._reading += 1
        try:
            return await asyncio.to_thread(_piece, self._path, position, size)
        finally:
            self._reading -= 1
            self._wake()

    def _get(self) -> None:
        name, digest = self._name, self._found.digest
        if not self._storage.mount(name, digest):  # fetched for another repository
            self._fetch(name, digest)
        kept = self._storage.blob(name, digest)
        self._path, self._readable = kept and kept.path, self._found.size

    def _fetch(self, name: str, digest: str) -> None:
        algorithm, _ = digests.split(digest)
        upload = self._storage.begin(name, algorithm)
        try:
            self._path = upload.data
            received = 0
            for chunk in self._upstream.stream(name, self._found):
                upload.write([chunk])
                received += len(chunk)
                self._readable = min(received, self._found.size - 1)
                self._loop.call_soon_threadsafe(self._wake)
            upload.close()
            asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result()
            self._storage.keep(name, digest, upload)
        finally:
            self._storage.finish(upload)

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
