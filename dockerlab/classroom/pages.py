"""What the class shows beside its registry: to learners what it is, to the instructor how it goes.

https://HOST:5443/             how to join, in Bangla or English
https://HOST:5443/ca.crt       the certificate of the class's authority
https://HOST:5443/about        {"class", "seal"}; with ?login=LOGIN: and "known"
https://HOST:5443/progress     POST: what a learner shares; DELETE: she shares nothing more
http://127.0.0.1:5480/         the live page
http://127.0.0.1:5480/now      … and the part of it that changes
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from dockerlab.classroom import sizes, ticket
from dockerlab.classroom.overview import Overview, Stored, ago
from dockerlab.classroom.reports import kept
from dockerlab.classroom.room import Room
from dockerlab.i18n import LANGUAGES, speaking
from dockerlab.registry.tokens import is_host
from dockerlab.widgets.html import render

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_HERE = Path(__file__).parent
_OWN = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
Answer = Callable[[Request], Awaitable[Response]]


def learners(room: Room) -> ASGIApp:
    """For the room: what this class is, how to join it, and where to tell how far one is."""
    from dockerlab.classroom.receiving import Receiving

    async def front(request: Request) -> Response:
        login = request.query_params.get("login", "")
        known = ticket.is_login(login)
        host = request.headers.get("host", "")
        address = host if is_host(host) else "HOST:PORT"
        facts = {"login": login if known else "", "address": address, "seal": room.seal}
        return _page(request, "learners", name=kept(room).name, **facts)

    async def authority(request: Request) -> Response:
        kind = "application/x-x509-ca-cert"
        path = room.folder / "authority" / "ca.crt"
        return FileResponse(path, media_type=kind, filename="ca.crt")

    async def about(request: Request) -> Response:
        now = await asyncio.to_thread(kept, room)
        said: dict[str, Any] = {"class": now.name, "seal": now.seal}
        if "login" in request.query_params:
            said["known"] = request.query_params["login"] in now.learners
        return JSONResponse(said, headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", front),
            Route("/ca.crt", authority),
            Route("/about", about),
            Route("/progress", Receiving(room)),
        ]
    )


def instructor(room: Room, storage: Stored) -> ASGIApp:
    """For this machine alone: how the class stands, looked at again every few seconds."""
    overview = Overview(room, storage)

    async def shown(template: str, request: Request) -> Response:
        rows = await asyncio.to_thread(overview.rows)
        facts = {"room": kept(room), "rows": rows, "quota": overview.quota}
        return _page(request, template, ago=ago, size=sizes.said, **facts)

    async def script(request: Request) -> Response:
        return FileResponse(_HERE / "live.js", media_type="text/javascript", headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", _own(partial(shown, "live"))),
            Route("/now", _own(partial(shown, "now"))),
            Route("/live.js", script),
        ]
    )


def _own(answer: Answer) -> Answer:
    """Not for pages from elsewhere that have taught the browser another name of this machine."""

    async def guarded(request: Request) -> Response:
        if not _OWN.fullmatch(request.headers.get("host", "")):
            return Response("Not by this name.\n", 421, media_type="text/plain")
        return await answer(request)

    return guarded


def _page(request: Request, template: str, **facts: Any) -> Response:
    code = _language(request)
    with speaking(code):
        text = render(template, "dockerlab.classroom", languages=LANGUAGES, **facts)
    return HTMLResponse(text, headers={**_HEADERS, "Content-Language": code})


def _language(request: Request) -> str:
    """What the address asks for, else the first of our languages that the browser likes."""
    liked = request.headers.get("accept-language", "").lower()
    wanted: list[str] = [
        request.query_params.get("lang", ""),
        *re.findall(r"\b(bn|en)\b", liked),
        "en",
    ]
    return next(code for code in wanted if code in LANGUAGES)
