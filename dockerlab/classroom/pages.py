"""What the class shows beside its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dockerlab.classroom.room import Room

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from dockerlab.classroom.quotas import Metered


def learners(room: Room) -> ASGIApp:
    """For whoever wants to know whose class it is: its name, its seal, its authority."""

    async def authority(request: Request) -> Response:
        return FileResponse(room.folder / "authority" / "ca.crt", media_type="text/plain")

    async def about(request: Request) -> Response:
        return JSONResponse({"class": room.name, "seal": room.seal})

    return Starlette(routes=[Route("/ca.crt", authority), Route("/about", about)])


def instructor(room: Room, storage: Metered) -> ASGIApp:
    """For the instructor alone."""

    async def page(request: Request) -> Response:
        lines = [f"{login}\t{name}\t{storage.used(login)}" for login, name in room.learners.items()]
        return PlainTextResponse("\n".join([room.name, *lines]))

    return Starlette(routes=[Route("/", page)])
