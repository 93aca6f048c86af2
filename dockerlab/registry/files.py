"""A file, or a part of it, as an HTTP answer (RFC 9110 § 14)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dockerlab.registry.refusals import Refusal

_PIECE = 256 * 1024  # bytes sent at a time
_BUDGET = 16 * _PIECE  # bytes in hand, of a few dozen answers together
_LARGE = 1024 * 1024  # bytes; smaller files fit into what the system holds of a connection
_CROWD = 256  # open files and connections; from here on, the server's own way takes much memory
_RANGE = re.compile(r"bytes=([0-9]{0,4000})-([0-9]{0,4000})")


class FileResponse(Response):
    """The file at `path` (`size` bytes), or what the request's Range header asks of it."""

    running = 0  # answers that send their files piece by piece

    def __init__(self, request: Request, path: Path, size: int, headers: Mapping[str, str]) -> None:
        self.path, self.size = path, size
        self.part = _part(request, size, headers.get("Etag"))
        self.whole = self.part is None
        self.part = self.part or range(size)
        super().__init__(status_code=200 if self.whole else 206, headers=headers)
        self.headers["Accept-Ranges"] = "bytes"
        self.headers["Content-Length"] = str(len(self.part))
        if not self.whole:
            self.headers["Content-Range"] = f"bytes {self.part[0]}-{self.part[-1]}/{size}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = scope["method"] == "HEAD"
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        if head or not self.part:
            await send({"type": "http.response.body", "body": b""})
        elif self._goes_by_path(scope):
            await send({"type": "http.response.pathsend", "path": str(self.path)})
        else:
            FileResponse.running += 1
            try:
                await self._stream(send)
            finally:
                FileResponse.running -= 1

    def _goes_by_path(self, scope: Scope) -> bool:
        by_path = "http.response.pathsend" in scope.get("extensions", {})
        return by_path and self.whole and (self.size <= _LARGE or not _is_crowded())

    async def _stream(self, send: Send) -> None:
        assert self.part
        rest = len(self.part)
        with await asyncio.to_thread(self.path.open, "rb") as file:
            file.seek(self.part[0])
            while rest:
                size = min(_PIECE, _BUDGET // FileResponse.running, rest)
                body = await asyncio.to_thread(file.read, size)
                if not body:
                    raise EOFError(f"{self.path} became shorter")
                rest -= len(body)
                await send({"type": "http.response.body", "body": body, "more_body": rest > 0})


def _is_crowded() -> bool:
    with suppress(OSError):  # Windows cannot say
        return len(os.listdir("/dev/fd")) > _CROWD
    return False


def _part(request: Request, size: int, etag: str | None) -> range | None:
    """The one range asked for; None for the whole file, as for ranges of other kinds."""
    stated = ",".join(request.headers.getlist("range"))
    match = _RANGE.fullmatch(stated.replace(" ", ""))
    if not match or match[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:
        part = range(max(0, size - int(last)), size)
    else:
        part = range(int(first), min(int(last), size - 1) + 1 if last else size)
        if last and int(last) < int(first):
            return None
    if not part:
        where = {"Content-Range": f"bytes */{size}"}
        raise Refusal("SIZE_INVALID", status=416, message="invalid content range", headers=where)
    return part
