"""What stands around the registry's application: headers, limits, the sign that says read-only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from dockerlab.registry.refusals import Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = ("GET", "HEAD")
_DRAINED, _DRAINING = 32 * 1024 * 1024, 2  # bytes, seconds


def with_headers(app: ASGIApp, headers: Mapping[str, Sequence[str]], origin: str = "") -> ASGIApp:
    """Add these headers to every answer; with an `origin`, Location becomes a whole URL."""
    lines = [
        (name.lower().encode(), value.encode())
        for name, values in headers.items()
        for value in values
    ]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                dressed = [_located(line, origin) for line in message["headers"]]
                message = {**message, "headers": [*dressed, *lines]}
            await send(message)

        await app(scope, receive, dress)

    return answer if lines or origin else app


def _located(line: tuple[bytes, bytes], origin: str) -> tuple[bytes, bytes]:
    name, value = line
    is_relative = name == b"location" and value.startswith(b"/")
    return (name, origin.encode() + value) if is_relative else line


def read_only(app: ASGIApp) -> ASGIApp:
    """Refuse whatever is not reading, in the real registry's words."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        inner = app
        if scope["method"] not in READING:
            allowed = {"Allow": ", ".join(READING)}
            inner = PlainTextResponse("Method not allowed\n", 405, allowed)
        await inner(scope, receive, send)

    return answer


def bounded(app: ASGIApp, most: int) -> ASGIApp:
    """Answer `most` requests at once, and tell others to come again."""
    running = 0

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal running
        if running >= most:
            await Refusal("TOOMANYREQUESTS", headers={"Retry-After": "1"}).response()(
                scope, receive, send
            )
            return
        running += 1
        try:
            await app(scope, receive, send)
        finally:
            running -= 1

    return answer


def attentive(app: ASGIApp, silence: float) -> ASGIApp:
    """Take a client for gone that sends nothing of a body for `silence` seconds, twice at most."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in READING:
            return await app(scope, receive, send)
        hearing = _Hearing(receive, silence)
        try:
            await app(scope, hearing.hear, send)
        finally:
            hearing.end()

    return answer


def polite(app: ASGIApp) -> ASGIApp:
    """Hear a client out before refusing it: who is still sending would not see the answer.

    So much of a body is read, and for so long, as is no burden; one who asks first is told at once.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        more = True

        async def hear() -> Message:
            nonlocal more
            message = await receive()
            more = bool(message.get("more_body"))
            return message

        async def drain() -> None:
            left = _DRAINED
            while more and left > 0:
                left -= len((await hear()).get("body", b""))

        async def tell(message: Message) -> None:
            if more and message["type"] == "http.response.start" and message["status"] >= 400:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(drain(), _DRAINING)
            await send(message)

        asks = any(name == b"expect" for name, _ in scope["headers"])
        if scope["method"] in READING or asks:
            return await app(scope, receive, send)
        await app(scope, hear, tell)

    return answer


class _Hearing:
    """One clock for all of a body: a timeout for each of its pieces would cost more."""

    def __init__(self, receive: Receive, silence: float) -> None:
        self._receive, self._silence = receive, silence
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._since, self._gone = 0.0, False
        self._clock = self._loop.call_later(silence, self._look)

    async def hear(self) -> Message:
        self._since = self._loop.time()
        try:
            return await self._receive()
        except asyncio.CancelledError:
            if not self._gone:
                raise
            return {"type": "http.disconnect"}
        finally:
            self._since = 0.0

    def end(self) -> None:
        self._clock.cancel()

    def _look(self) -> None:
        if self._since and self._loop.time() - self._since >= self._silence:
            self._gone = True
            assert self._task
            self._task.cancel()
        else:
            self._clock = self._loop.call_later(self._silence, self._look)
