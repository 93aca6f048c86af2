"""What a registry writes to stderr: logfmt lines, and a combined-format line for each request."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def log(level: str, message: str) -> None:
    """One line in the real registry's form: `time="…" level=info msg="…"`."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    _write(f'time="{now}" level={level} msg={json.dumps(message, ensure_ascii=False)}\n')


class Journal:
    """Wraps an ASGI application: one log line for each request, one header on each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, size = 500, 0

        async def note(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                size = int(_header(headers, b"content-length") or 0)
                version = (b"docker-distribution-api-version", b"registry/2.0")
                message = {**message, "headers": [*headers, version]}
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:  # it was answered with 500, or the connection is gone
            log("error", f"{scope['method']} {scope['path']}: {type(error).__name__}: {error}")
        finally:
            if self.is_open:
                _write(_combined(scope, status, 0 if scope["method"] == "HEAD" else size))


def _combined(scope: Scope, status: int, size: int) -> str:
    """https://httpd.apache.org/docs/current/logs.html#combined"""
    now = datetime.now(timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000")
    client = (scope.get("client") or ("-",))[0]
    query = scope["query_string"].decode("latin-1")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    target = path + ("?" + query if query else "")
    request = f"{scope['method']} {target} HTTP/{scope['http_version']}"
    referer = _header(scope["headers"], b"referer").decode("latin-1")
    agent = _header(scope["headers"], b"user-agent").decode("latin-1")
    quoted = (json.dumps(text) for text in (request, referer, agent))
    return "{} - - [{}] {} {} {} {} {}\n".format(client, now, next(quoted), status, size, *quoted)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _write(line: str) -> None:
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:  # whoever read the log is gone; the registry goes on
        pass
