"""What learners share of their progress, as it comes in: each speaks for herself only."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dockerlab.classroom import reports
from dockerlab.classroom.room import Room
from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.gate import Gate
from dockerlab.registry.htpasswd import Htpasswd

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_PATIENCE = 10  # seconds for a body


class Receiving:
    """Takes reports of a class behind the registry's own gate: the same logins, the same brake."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._gate: Gate | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._gate is None:
            with suppress(SettingsError):  # nobody is in the class yet
                self._gate = Gate(self._inside, Htpasswd(self._room.folder / "htpasswd"), "class")
        answer = self._gate or Response(status_code=401)
        # the gate guards what is below /v2
        await answer({**scope, "path": "/v2/progress"}, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = Response(status_code=await self._status(request))
        await answer(scope, receive, send)

    async def _status(self, request: Request) -> int:
        room = await asyncio.to_thread(reports.kept, self._room)
        login = request.scope["user"]  # whom the gate has let in
        if login not in room.learners:
            return 403
        if request.method == "DELETE":
            await asyncio.to_thread(reports.forget, room, login)
            return 204
        if request.method != "POST":
            return 405
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return 415  # what a form on somebody's page can send
        try:
            content = await asyncio.wait_for(_body(request), _PATIENCE)
            if content is None:
                return 413
            await asyncio.to_thread(reports.take, room, login, content)
        except (ValueError, LookupError, TypeError, RecursionError):
            return 400
        except (asyncio.TimeoutError, ClientDisconnect, OSError):
            return 503
        return 204


async def _body(request: Request) -> bytes | None:
    """All of it; None if it is too much."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > reports.LIMIT:
            return None
    return content
