"""A file, or a part of it, as an HTTP answer (RFC 9110 § 14)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dockerlab.registry.refusals import Refusal

_PIECE = 1024 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class FileResponse(Response):
    """The file at `path` (`size` bytes), or what the request's Range header asks of it."""

    def __init__(self, request: Request, path: Path, size: int, headers: Mapping[str, str]) -> None:
        self.path = path
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
        elif self.whole and "http.response.pathsend" in scope.get("extensions", {}):
            await send({"type": "http.response.pathsend", "path": str(self.path)})
        else:
            await self._stream(send)

    async def _stream(self, send: Send) -> None:
        assert self.part
        rest = len(self.part)
        with await asyncio.to_thread(self.path.open, "rb") as file:
            file.seek(self.part[0])
            while rest:
                body = await asyncio.to_thread(file.read, min(_PIECE, rest))
                if not body:
                    raise EOFError(f"{self.path} became shorter")
                rest -= len(body)
                await send({"type": "http.response.body", "body": body, "more_body": rest > 0})


def _part(request: Request, size: int, etag: str | None) -> range | None:
    """The one range asked for; None for the whole file, as for ranges of other kinds."""
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
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
