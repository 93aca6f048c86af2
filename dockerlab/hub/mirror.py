"""The hub as a web application: a registry that nobody but its owner writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from dockerlab.i18n import _
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.server import application
from dockerlab.registry.storage import Storage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READ_ONLY = "the course's stand-in for Docker Hub is read-only"


def mirror(storage: Storage, cache: ASGIApp | None = None) -> ASGIApp:
    """What is in `storage`, else in `cache`, to be pulled only; its front page says what it is."""
    registry = application(storage, delete=False)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = registry
        if scope["method"] not in ("GET", "HEAD"):
            app = Refusal("UNSUPPORTED", message=_READ_ONLY).response()
        elif scope["path"] == "/":
            app = PlainTextResponse(stands_in() + "\n")
        elif cache:
            app = _first(registry, cache)
        await app(scope, receive, send)

    return answer


def _first(one: ASGIApp, other: ASGIApp) -> ASGIApp:
    """What `one` answers, or `other` where that is 404."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_missing = False

        async def unless_missing(message: Message) -> None:
            nonlocal is_missing
            is_missing = is_missing or message.get("status") == 404
            if not is_missing:
                await send(message)

        await one(scope, receive, unless_missing)
        if is_missing:
            await other(scope, receive, send)

    return answer


def stands_in() -> str:
    """That this is not the real Docker Hub."""
    return _("This is the course's stand-in for Docker Hub, not the real one.")
