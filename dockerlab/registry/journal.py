"""What a registry writes to stderr: logrus's lines, and for each request two of them.

    time="2026-11-24T18:22:11Z" level=info msg="response completed" http.request.method=GET …
    127.0.0.1 - - [24/Nov/2026:18:22:11 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "curl/7.88.1"

Both are those of the Distribution project's registry; `http.request.read`, the bytes of the
request's body, is ours. Whatever comes from outside is escaped, shortened, and free of secrets.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Protocol, TextIO
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_RANKS = {"debug": 0, "info": 1, "warning": 2, "error": 3, "fatal": 4}
_LONGEST = 4096  # characters of a path, an agent or a referer that are written
_PLAIN = re.compile(r"[A-Za-z0-9\-._/@^+]+")  # what logrus writes without quotation marks
_SECRET = re.compile(r"token|passw|secret|signature|credential|authorization|^sig$|^code$", re.I)
_USER = re.compile(r"(?<=://)[^/@]*@")
_HIDDEN = "REDACTED"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_EMPTY = ("GET", "HEAD")  # requests without a body
_VERSION = (b"docker-distribution-api-version", b"registry/2.0")


class _Form:
    """How lines look, and which are written; as the settings `log.…` say."""

    rank = _RANKS["info"]
    write: Callable[[dict[str, str]], str]
    fields: dict[str, str] = {}
    file: TextIO | None = None


class Metrics(Protocol):
    """Who counts the requests."""

    def begin(self, scope: Scope) -> None:
        """A request has come."""

    def end(self, scope: Scope, status: int, read: int, written: int, seconds: float) -> None:
        """It was answered."""


def configure(
    level: str = "info",
    formatter: str = "text",
    fields: Mapping[str, str] | None = None,
    file: TextIO | None = None,
) -> None:
    """Write lines from `level` up, as "text", "json" or "logstash", each with these `fields`.

    They go into `file`, else to stderr.
    """
    _Form.file = file
    _Form.rank = _RANKS["warning" if level == "warn" else level]
    _Form.write = staticmethod(_FORMATTERS[formatter])
    _Form.fields = {**({"type": "registry"} if formatter == "logstash" else {}), **(fields or {})}


def log(level: str, message: str) -> None:
    """One line in the real registry's form: `time="…" level=info msg="…"`."""
    if _RANKS[level] >= _Form.rank:
        _write(_line(level, message, {}))


class Journal:
    """Wraps an ASGI application: log lines for each request, one header on each answer.

    Without `access` there is no line in the combined format.
    """

    def __init__(
        self, app: ASGIApp, *, access: bool = True, metrics: Metrics | None = None
    ) -> None:
        self._app, self._access, self._metrics = app, access, metrics
        self.is_open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        status, read, written = 500, 0, 0
        untold = self.is_open

        def tell() -> None:
            nonlocal untold
            if untold:
                untold = False
                self._tell(scope, status, read, written, perf_counter() - began)

        async def hear() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return message

        async def note(message: Message) -> None:
            nonlocal status, written
            kind = message["type"]
            if kind == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], _VERSION]}
            size = len(message.get("body", b""))
            if kind == "http.response.body" and not message.get("more_body"):
                written += size
                tell()  # so that whoever has the answer finds it in the log
                return await send(message)
            await send(message)
            written += size

        if self._metrics and untold:
            self._metrics.begin(scope)
        try:
            await self._app(scope, receive if scope["method"] in _EMPTY else hear, note)
        except Exception as error:  # it was answered with 500, or the connection is gone
            log("error", f"{scope['method']} {scope['path']}: {type(error).__name__}: {error}")
        finally:
            tell()

    def _tell(self, scope: Scope, status: int, read: int, written: int, seconds: float) -> None:
        written = 0 if scope["method"] == "HEAD" else written
        if self._metrics:
            self._metrics.end(scope, status, read, written, seconds)
        target, lines = _target(scope), ""
        level, said = ("error", " with error") if status >= 400 else ("info", "")
        if _RANKS[level] >= _Form.rank:
            facts = {
                "http.request.method": scope["method"],
                "http.request.read": str(read),
                "http.request.uri": target,
                "http.response.duration": _duration(seconds),
                "http.response.status": str(status),
                "http.response.written": str(written),
            }
            lines = _line(level, f"response completed{said}", facts)
        if self._access:
            lines += _combined(scope, target, status, written)
        if lines:
            _write(lines)


def _combined(scope: Scope, target: str, status: int, size: int) -> str:
    """https://httpd.apache.org/docs/current/logs.html#combined"""
    client = (scope.get("client") or ("-",))[0]
    request = _escaped(f"{scope['method']} {target} HTTP/{scope['http_version']}")
    referer = _escaped(clean(_text(scope["headers"], b"referer")))
    agent = _escaped(_text(scope["headers"], b"user-agent"))
    when = _clock(int(time.time()))[1]
    return f"{client} - - [{when}] {request} {status} {size} {referer} {agent}\n"


def _target(scope: Scope) -> str:
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return clean(path + ("?" + query if query else ""))[:_LONGEST]


def clean(address: str) -> str:
    """An address without the secrets in it: `?token=…`, `//user:password@…`."""
    if "@" in address:
        address = _USER.sub("", address)
    path, mark, query = address.partition("?")
    if not mark:
        return address
    return path + mark + "&".join(_safe(pair) for pair in query.split("&"))


def _safe(pair: str) -> str:
    name, equals, _value = pair.partition("=")
    return f"{name}={_HIDDEN}" if equals and _SECRET.search(unquote_plus(name)) else pair


def _line(level: str, message: str, facts: dict[str, str]) -> str:
    when = _clock(int(time.time()))[0]
    entry = {"time": when, "level": level, "msg": message}
    return _Form.write(entry | _Form.fields | facts)


def _text_line(entry: dict[str, str]) -> str:
    """logfmt, in which logrus always quotes the time."""
    return " ".join(f"{name}={_quoted(name, value)}" for name, value in entry.items()) + "\n"


def _quoted(name: str, value: str) -> str:
    if value.isdecimal() or (name != "time" and _PLAIN.fullmatch(value)):
        return value
    return _escaped(value)


def _json_line(entry: dict[str, str]) -> str:
    return json.dumps(dict(sorted(entry.items()))) + "\n"


def _logstash_line(entry: dict[str, str]) -> str:
    rest = {name: value for name, value in entry.items() if name not in ("time", "msg")}
    stamp = {"@timestamp": entry["time"], "@version": "1", "message": entry["msg"]}
    return _json_line({**rest, **stamp})


_FORMATTERS = {"text": _text_line, "json": _json_line, "logstash": _logstash_line}
configure()


@lru_cache(maxsize=64)  # most requests have one of a few agents
def _escaped(text: str) -> str:
    """In quotation marks, on one line, whatever a terminal or a reader takes for a line's end."""
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in quoted)


def _duration(seconds: float) -> str:
    """As Go writes it: 820.868µs, 1.953349ms, 2.5s, 1m30s."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3f}".rstrip("0").rstrip(".") + unit
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    ahead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return ahead + f"{rest:.6f}".rstrip("0").rstrip(".") + "s"


@lru_cache(maxsize=1)
def _clock(second: int) -> tuple[str, str]:
    """A moment in logrus's form and in Apache's, whatever the locale; it is asked for often."""
    now = time.gmtime(second)
    date = f"{now.tm_mday:02}/{_MONTHS[now.tm_mon - 1]}/{now.tm_year}"
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", now), time.strftime(f"{date}:%H:%M:%S +0000", now)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _text(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return _header(headers, name).decode("latin-1")[:_LONGEST]


def _write(lines: str) -> None:
    """In one piece, so that the lines of two requests never mix."""
    try:
        stream = _Form.file or sys.stderr
        stream.write(lines)
        stream.flush()
    except OSError:  # whoever read the log is gone; the registry goes on
        pass
