"""Who may do what in the class: read everything, write below her own name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.i18n import _
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.tokens import is_host

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_READING = ("GET", "HEAD")


class Access:
    """Lets through to `app` what its user may do; to be set behind a Gate, which says who it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if _may(scope) else _refusal(scope).response()
        await app(scope, receive, send)


def _may(scope: Scope) -> bool:
    path: str = scope["path"]
    is_reading = scope["method"] in _READING and "/blobs/uploads/" not in path
    own = f"/v2/{scope['user']}/"
    return is_reading or (bool(scope["user"]) and path.startswith(own))


def _refusal(scope: Scope) -> Refusal:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    host = hosts[0] if hosts and is_host(hosts[0]) else "HOST:PORT"
    message = _("{login} may push and delete only what begins with {host}/{login}/").format(
        login=scope["user"], host=host
    )
    return Refusal("DENIED", message=message)
