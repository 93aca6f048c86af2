"""A second server for those who run the registry: is it well, and what has it done?

It asks nobody who they are: so it listens on 127.0.0.1 unless another address is said.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from dockerlab.registry.metrics import Figures
    from dockerlab.registry.storage import Storage

_HEALTH = "/debug/health"
_CHECK = "storagedriver_filesystem"  # what the real registry calls it
_FORMAT = "text/plain; version=0.0.4"


class Debug:
    """`/debug/health`; and `figures`, if any, at `path`."""

    def __init__(self, storage: Storage, figures: Figures | None, path: str) -> None:
        self._storage, self._figures, self._path = storage, figures, path
        self.is_open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = scope["method"] in ("GET", "HEAD")
        answer = await self._answer(scope["path"] if reading else "")
        await answer(scope, receive, send)

    async def _answer(self, path: str) -> Response:
        if path == _HEALTH:
            failed = await asyncio.to_thread(self._failures)
            return JSONResponse(failed, 503 if failed else 200)
        if self._figures and path == self._path:
            return Response(self._figures.text(), media_type=_FORMAT)
        return PlainTextResponse("404 page not found\n", 404)

    def _failures(self) -> dict[str, str]:
        """The checks that fail, each with the reason."""
        try:
            self._storage.check()
        except OSError as error:
            return {_CHECK: os.strerror(error.errno or 0).lower()}
        return {}
