"""The gate in front of a registry: without a login the answer is 401, in the real one's words."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from starlette.responses import Response

from dockerlab.registry.brake import Brake
from dockerlab.registry.htpasswd import Htpasswd
from dockerlab.registry.journal import log
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.server import is_name
from dockerlab.registry.tokens import PATH, Tokens, challenge, is_host, quoted

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_READING = ("GET", "HEAD")
_PATIENCE = 20  # seconds that an attempt waits for its turn at most
_ACTIONS = {"GET": ["pull"], "HEAD": ["pull"], "DELETE": ["delete"]}
_ENDS = ("/manifests/", "/blobs/", "/tags/", "/referrers/")


class Gate:
    """Lets users of the password file through to `app`; with `anonymous`, others may read.

    The front page and what is outside /v2 are open, as they are in the real registry. `app` finds
    who came in as the scope's `user`.
    """

    def __init__(
        self,
        app: ASGIApp,
        users: Htpasswd,
        realm: str,
        *,
        anonymous: bool = False,
        origin: str = "",
    ) -> None:
        self._app, self._users, self._realm, self._origin = app, users, realm, origin
        self._tokens = Tokens(users.entry) if anonymous else None
        self._brake = Brake()
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        try:
            if self._tokens and scope["path"] == PATH and scope["method"] in _READING:
                app = await self._token(scope, self._tokens)
            elif scope["path"].startswith("/v2") and not await self._may_enter(scope):
                app = self._unauthorized(scope)
        except Refusal as refusal:
            app = refusal.response()
        await app(scope, receive, send)

    async def _may_enter(self, scope: Scope) -> bool:
        kind, credentials = _authorization(scope)
        if kind == "basic":
            user = await self._login(scope, credentials)
        elif kind == "bearer" and self._tokens:
            user = self._tokens.user(credentials)
        else:
            is_front = scope["path"] in ("/v2", "/v2/")
            user = "" if self._tokens and not kind and not is_front else None
        scope["user"] = user or ""
        is_reading = scope["method"] in _READING and not _is_upload(scope)
        return bool(user) or (user == "" and is_reading)

    async def _token(self, scope: Scope, tokens: Tokens) -> Response:
        kind, credentials = _authorization(scope)
        user = None if kind else ""
        if kind == "basic":
            user = await self._login(scope, credentials)
        if user is None:
            return self._unauthorized(scope)
        return Response(tokens.issue(user), 200, {"Cache-Control": "no-store"}, "application/json")

    async def _login(self, scope: Scope, credentials: str) -> str | None:
        """The user, if the password is right; attempts for one user are made one by one."""
        user, colon, password = _decoded(credentials).partition(":")
        if not colon:
            return None
        if self._users.knows(user, password):
            return user
        who = ((scope.get("client") or ("-",))[0], user[:255])
        came = time.monotonic()
        turn = self._turns.setdefault(who, asyncio.Lock())
        async with turn:
            if self._users.knows(user, password):
                return user
            delay = self._brake.delay(who)
            if time.monotonic() - came > _PATIENCE:
                raise Refusal("TOOMANYREQUESTS", headers={"Retry-After": str(int(delay) + 1)})
            await asyncio.sleep(delay)
            return await self._attempt(who, user, password)

    async def _attempt(self, who: tuple[str, str], user: str, password: str) -> str | None:
        if await self._users.check(user, password):
            self._brake.succeeded(who)
            return user
        times = self._brake.failed(who)
        said = f'error authenticating user "{user[:100]}" from {who[0]}: authentication failure'
        log("warning", said if times == 1 else f"{said} ({times} times)")
        return None

    def _unauthorized(self, scope: Scope) -> Response:
        access = _access(scope)
        asked = f"Basic realm={quoted(self._realm)}"
        if self._tokens and scope["path"] != PATH:
            asked = challenge(self._where(scope), self._realm, _scopes(access))
        error = {"code": "UNAUTHORIZED", "message": "authentication required", "detail": access}
        body = json.dumps({"errors": [error]}, separators=(",", ":")) + "\n"
        headers = {"WWW-Authenticate": asked.encode().decode("latin-1")}
        return Response(body, 401, headers, "application/json; charset=utf-8")

    def _where(self, scope: Scope) -> str:
        """The URL at which this client reaches the registry."""
        host = _header(scope, b"host")
        if self._origin or not is_host(host):
            return self._origin
        return f"{scope['scheme']}://{host}"


def _authorization(scope: Scope) -> tuple[str, str]:
    """The scheme in small letters, and what follows it; "" and "" where nothing was sent."""
    lines = [value for name, value in scope["headers"] if name == b"authorization"]
    if not lines:
        return "", ""
    kind, _, rest = lines[0].decode("latin-1").partition(" ")
    return (kind.lower() or "none", rest.strip()) if len(lines) == 1 else ("several", "")


def _decoded(credentials: str) -> str:
    """`user:password`, "" if it is no base64; the bytes that are not UTF-8 are kept."""
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        return ""


def _header(scope: Scope, name: bytes) -> str:
    found = (value for key, value in scope["headers"] if key == name)
    return next(found, b"").decode("latin-1")


def _is_upload(scope: Scope) -> bool:
    return "/blobs/uploads/" in scope["path"]


def _access(scope: Scope) -> list[dict[str, str]] | None:
    """What a login would have to allow, as the real registry lists it."""
    path, method = scope["path"], scope["method"]
    if path == "/v2/_catalog":
        return [_may("registry", "catalog", "*")]
    name = path.removeprefix("/v2/")
    end = name.find("/blobs/uploads/") if _is_upload(scope) else max(map(name.rfind, _ENDS))
    if not is_name(name[: max(end, 0)]):
        return None
    access = [_may("repository", name[:end], do) for do in _ACTIONS.get(method, ["pull", "push"])]
    other = parse_qs(scope["query_string"].decode("latin-1")).get("from", [""])[0]
    mounts = method == "POST" and is_name(other)
    return [*access, _may("repository", other, "pull")] if mounts else access


def _may(kind: str, name: str, action: str) -> dict[str, str]:
    return {"Type": kind, "Class": "", "Name": name, "Action": action}


def _scopes(access: list[dict[str, str]] | None) -> str:
    """The same as a token's scope: `repository:a:pull,push`."""
    actions: dict[str, list[str]] = {}
    for each in access or ():
        actions.setdefault(f"{each['Type']}:{each['Name']}", []).append(each["Action"])
    return " ".join(f"{name}:{','.join(words)}" for name, words in actions.items())
