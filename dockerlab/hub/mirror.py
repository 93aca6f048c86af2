"""The hub as a web application: a registry that nobody but its owner writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from dockerlab.i18n import _
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.server import application
from dockerlab.registry.storage import Storage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_READ_ONLY = "the course's stand-in for Docker Hub is read-only"


def mirror(storage: Storage) -> ASGIApp:
    """What is in `storage`, to be pulled only; its front page says what this is."""
    registry = application(storage, delete=False)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = registry
        if scope["method"] not in ("GET", "HEAD"):
            app = Refusal("UNSUPPORTED", message=_READ_ONLY).response()
        elif scope["path"] == "/":
            app = PlainTextResponse(stands_in() + "\n")
        await app(scope, receive, send)

    return answer


def stands_in() -> str:
    """That this is not the real Docker Hub."""
    return _("This is the course's stand-in for Docker Hub, not the real one.")
