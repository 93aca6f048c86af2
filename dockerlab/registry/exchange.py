"""What went over the wire to a registry, as facts that may be shown: no secret is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx

HIDDEN = "••••"
BODY_LIMIT = 64 * 1024  # bytes of a body that is kept; of JSON only
ASKED = "dockerlab.asked"  # the extension of an answer that holds the headers of its request
Headers = tuple[tuple[str, str], ...]

_SIGNED = re.compile(r"^(?:proxy-)?authorization$", re.IGNORECASE)
_SECRET_HEADER = re.compile(r"cookie|token|secret|passw|api-?key", re.IGNORECASE)
_SECRET = r"token|passw|secret|signature|credential|authorization|_state"
_QUERY = re.compile(rf"([?&](?:[^=&]*(?:{_SECRET})[^=&]*|sig|code)=)[^&#\s>]+", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/@\s]*@")
_IN_JSON = re.compile(rf'("[^"]*(?:{_SECRET})[^"]*"\s*:\s*")(?:[^"\\]|\\.)*', re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """The headers of a request or an answer; and its body, if that is a little JSON."""

    headers: Headers = ()
    body: str = ""

    @property
    def kind(self) -> str:
        """The media type of the body."""
        known = {name.lower(): value for name, value in self.headers}
        return known.get("content-type", "").partition(";")[0].strip()


@dataclass(frozen=True)
class Exchange:
    """One request and its answer: bodies in bytes, `status` 0 if there was no answer."""

    method: str
    path: str
    status: int
    sent: int
    received: int
    milliseconds: float
    host: str = ""
    query: str = ""
    scheme: str = ""
    request: Message = field(default=Message(), repr=False)
    response: Message = field(default=Message(), repr=False)


class Copied(httpx.SyncByteStream):
    """Passes a body on and keeps the beginning of it."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream
        self.kept = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if len(self.kept) <= BODY_LIMIT:
                self.kept += chunk
            yield chunk

    def close(self) -> None:
        self._stream.close()


def note(response: httpx.Response) -> None:
    """Remember what this request was sent with, before it is signed and sent again."""
    response.extensions[ASKED] = shown(response.request.headers)
    if is_json(response.headers) and isinstance(response.stream, httpx.SyncByteStream):
        response.stream = Copied(response.stream)


def exchanged(
    request: httpx.Request,
    content: bytes,
    response: httpx.Response | None,
    status: int,
    sent: int,
    spent: float,
) -> Exchange:
    """The facts of an exchange; `spent` in milliseconds, `content` as far as it is known."""
    url = response.url if response else request.url
    headers = response.extensions.get(ASKED) if response else None
    return Exchange(
        request.method,
        url.path,
        status,
        sent,
        response.num_bytes_downloaded if response else 0,
        spent,
        url.netloc.decode(),
        hidden("?" + url.query.decode("ascii", "replace"))[1:],
        url.scheme,
        Message(headers or shown(request.headers), _json(request.headers, content)),
        _answered(response) if response else Message(),
    )


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether a body is JSON, as manifests, lists and errors are."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind.endswith(("json", "+prettyjws"))


def shown(headers: httpx.Headers) -> Headers:
    """Headers as they may be shown."""
    written = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
    return tuple((name, _value(name, value)) for name, value in written)


def hidden(address: str) -> str:
    """A text with addresses in it, without their secrets."""
    return _USER.sub("", _QUERY.sub(rf"\1{HIDDEN}", address))


def _value(name: str, value: str) -> str:
    if _SIGNED.match(name):
        scheme, blank, _ = value.partition(" ")
        return f"{scheme} {HIDDEN}" if blank else HIDDEN
    if _SECRET_HEADER.search(name):
        return HIDDEN
    return hidden(value)


def _answered(response: httpx.Response) -> Message:
    body = bytes(response.stream.kept) if isinstance(response.stream, Copied) else b""
    return Message(shown(response.headers), _json(response.headers, body))


def _json(headers: Mapping[str, str], body: bytes) -> str:
    """A body that is kept, as it was, but for secrets."""
    if len(body) > BODY_LIMIT or not is_json(headers):
        return ""
    return _IN_JSON.sub(rf"\1{HIDDEN}", body.decode("utf-8", "replace"))
