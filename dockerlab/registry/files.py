"""A file, or a part of it, as an HTTP answer (RFC 9110 § 14)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dockerlab.registry.refusals import Refusal

_PIECE, _LEAST = 1024 * 1024, 4 * 1024  # bytes read and sent at a time
_SMALL = 32 * 1024  # bytes that are read in no time
_BUDGET = 8 * _PIECE  # by the square of the answers that run: the server keeps pieces of each
_RANGE = re.compile(r"bytes=([0-9]{0,4000})-([0-9]{0,4000})")


class FileResponse(Response):
    """The file at `path` (`size` bytes), or what the request's Range header asks of it."""

    _running: ClassVar = 0

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
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        if scope["method"] == "HEAD" or not self.part:
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._stream(receive, send, self.part)

    async def _stream(self, receive: Receive, send: Send, part: range) -> None:
        """Piece by piece; the server keeps some, so the more answers, the smaller they get."""
        rest = len(part)
        gone = asyncio.ensure_future(_gone(receive))
        FileResponse._running += 1
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(part[0])
                while rest and not gone.done():
                    size = min(rest, portion(FileResponse._running))
                    small = size <= _SMALL
                    body = file.read(size) if small else await asyncio.to_thread(file.read, size)
                    if not body:
                        raise EOFError(f"{self.path} became shorter")
                    rest -= len(body)
                    await send({"type": "http.response.body", "body": body, "more_body": rest > 0})
        finally:
            FileResponse._running -= 1
            gone.cancel()


def portion(running: int) -> int:
    """How many bytes to read and send at a time while so many answers run."""
    return max(_LEAST, min(_PIECE, _BUDGET // running**2))


async def _gone(receive: Receive) -> None:
    """Come back when the client has gone; nobody else would tell."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
