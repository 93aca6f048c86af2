"""Requests as a page shows them: one line each, and in an order that does not vary.

Layers travel at the same time, so their requests come in any order; here each layer's stand
together, and the layers as the manifest names them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from dockerlab.course.requests import meaning
from dockerlab.i18n import _, digits
from dockerlab.image.digest import short
from dockerlab.registry import repeating
from dockerlab.registry.events import Event, observed
from dockerlab.registry.exchange import Exchange, Message
from dockerlab.widgets.registry import size

_LONG = re.compile(  # what nobody reads to its end: digests, and the real registry's own notes
    r"(sha(?:256|512)(?::|%3A)[0-9a-f]{12}|[?&]_state=|(?<=/uploads/)[0-9a-f]{8})[^&/?]+",
    re.IGNORECASE,
)
_UPLOAD = re.compile(r"/uploads/([0-9a-zA-Z][\w.-]*)")
_BLOB = re.compile(r"(?:/blobs/|[?&](?:digest|mount)=)([a-z0-9]+(?::|%3A)[0-9a-f]+)", re.IGNORECASE)
_VARIES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=dockerlab/)[\w.+]+"
)


Role = tuple[int, int]  # which layer, of how many; 0: the config


@dataclass(frozen=True)
class Line:
    """A request: what is known of it, and where it can be asked again ("" if nowhere)."""

    event: Event
    exchange: Exchange | None = None
    address: str = ""
    scheme: str = ""  # "http", "https", or "" where nobody knows
    again: bool = False  # the exchange is a later one than the event

    @property
    def method(self) -> str:
        """GET, PUT …"""
        return plain(self.event.method)

    @property
    def path(self) -> str:
        """Path and query; what nobody reads to its end is cut."""
        return plain(_LONG.sub(r"\1…", self.event.path))

    @property
    def still(self) -> str:
        """The path, the same in each run."""
        path = re.sub(r"(?<=/uploads/)[0-9a-f]{8}…", "…", self.path)
        return re.sub(r"_state=…&?", "", path).removesuffix("?")

    @property
    def status(self) -> str:
        """The answer's number."""
        return str(self.event.status or "✘")

    @property
    def bytes(self) -> str:
        """How large the bodies were."""
        went = [f"↑ {size(self.event.sent)}"] if self.event.sent else []
        came = [f"↓ {size(self.event.received)}"] if self.event.received else []
        return " ".join(went + came)

    @property
    def milliseconds(self) -> str:
        """How long it took."""
        return "" if self.event.milliseconds is None else f"{self.event.milliseconds:.1f}"

    @property
    def meaning(self) -> str:
        """What was asked and answered."""
        return plain(str(meaning(self.event)))

    @cached_property
    def kind(self) -> str:
        """Which kind of request, a key of requests.yaml."""
        return meaning(self.event).kind

    @property
    def is_good(self) -> bool:
        """Whether the registry did as it was asked."""
        return 200 <= self.event.status < 400

    @property
    def can_ask(self) -> bool:
        """Whether asking again does no harm."""
        return bool(self.address) and self.event.method in ("GET", "HEAD")

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Programs that ask the same, by name."""
        if self.exchange is None or not repeating.can_repeat(self.exchange):
            return []
        return [
            ("curl", repeating.curl(self.exchange)),
            ("httpx", repeating.python(self.exchange)),
        ]

    @property
    def parts(self) -> list[Part]:
        """The request and the answer, if they are known."""
        if self.exchange is None:
            return []
        exchange, path = self.exchange, self.event.path
        status = str(exchange.status or _("no answer"))
        first = plain(f"{exchange.method} {path} HTTP/1.1")
        went, came = exchange.sent, exchange.received
        return [
            Part(_("Request"), first, exchange.request, went, self.kind),
            Part(_("Answer"), f"HTTP/1.1 {status}", exchange.response, came, self.kind),
        ]


@dataclass(frozen=True)
class Part:
    """One half of an exchange: its first `line`, its headers, its body of `size` bytes."""

    title: str
    line: str
    message: Message
    size: int
    kind: str

    def first(self, live: bool) -> str:
        """The first line; if not `live`, only what stays the same."""
        return self.line if live else _VARIES.sub("…", self.line)

    def headers(self, live: bool) -> list[tuple[str, str]]:
        """The headers; of those that vary from run to run only what stays, if not `live`."""
        known = [(plain(name), plain(value)) for name, value in self.message.headers]
        if live:
            return known
        return [(name, _VARIES.sub("…", value)) for name, value in known if name.lower() != "date"]

    @property
    def body(self) -> str:
        """The body, if it is JSON, in a form that can be read."""
        try:
            read = json.loads(self.message.body)
        except (ValueError, RecursionError):
            return self.message.body
        return json.dumps(read, indent=2, ensure_ascii=False)

    @property
    def rest(self) -> str:
        """What is said of a body that is not shown."""
        if self.message.body or not self.size:
            return ""
        if self.kind.startswith(("blob", "upload")):
            return _("{size} of layer data").format(size=digits(size(self.size)))
        return _("a body of {size}, which is not shown").format(size=digits(size(self.size)))


@dataclass(frozen=True)
class Group:
    """Requests that belong together: those about the blob `digest`, or "", those about none."""

    digest: str
    role: Role | None  # what the blob is, if a manifest tells
    lines: tuple[tuple[int, Line], ...]  # each with its number

    @property
    def title(self) -> str:
        """What the blob is, and the beginning of its digest; or ""."""
        if not self.digest:
            return ""
        name = _("blob")
        if self.role:
            number, count = self.role
            layer = _("layer {number} of {count}").format(number=number, count=count)
            name = digits(layer) if number else _("config")
        return f"{name} · {short(self.digest)}"


class Order:
    """Requests in the order of the page, and in groups."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._blobs = dict(zip(map(id, lines), _blobs(lines), strict=True))
        self._known = _named(lines)
        self._places = {digest: place for place, digest in enumerate(self._known)}
        self.lines = [line for run in self._runs(lines) for line in run]

    @cached_property
    def groups(self) -> list[Group]:
        """The lines, those about one blob together."""
        numbered = enumerate(self.lines)
        found = groupby(numbered, lambda pair: self._blobs[id(pair[1])] or "")
        return [Group(digest, self._known.get(digest), tuple(lines)) for digest, lines in found]

    def _runs(self, lines: Sequence[Line]) -> Iterator[list[Line]]:
        """Between the requests that wait for each other are those that do not."""
        waiting: list[Line] = []
        for line in lines:
            if self._blobs[id(line)] is None and not (waiting and line.kind == "token"):
                yield sorted(waiting, key=self._place)
                yield [line]
                waiting = []
            else:
                waiting.append(line)
        yield sorted(waiting, key=self._place)

    def _place(self, line: Line) -> tuple[int, str]:
        digest = self._blobs[id(line)]
        if not digest:  # what was refused, and the tokens that were asked for then
            return -1, line.kind if digest is None else ""
        return self._places.get(digest, len(self._places)), digest


def plain(text: str) -> str:
    """Whatever somebody asked for stays on its line."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def lines_of(exchanges: Sequence[Exchange]) -> list[Line]:
    """What a client has seen."""
    return [Line(observed(one), one, scheme=one.scheme) for one in exchanges]


def _blobs(lines: Sequence[Line]) -> list[str | None]:
    """The digest of the blob that each is about; "" where only that there is one is known."""
    uploads: dict[str, str] = {}
    for line in lines:
        upload, blob = _UPLOAD.search(line.event.path), _BLOB.search(line.event.path)
        if upload and blob:
            uploads[upload[1]] = _digest(blob[1])
    nameless = iter([digest for upload, digest in uploads.items() if upload not in _told(lines)])
    return [_blob(line, uploads, nameless) for line in lines]


def _blob(line: Line, uploads: dict[str, str], nameless: Iterator[str]) -> str | None:
    kind = line.kind
    if not kind.startswith(("blob", "upload")):
        return None
    if found := _BLOB.search(line.event.path):
        return _digest(found[1])
    if upload := _UPLOAD.search(line.event.path) or _UPLOAD.search(_location(line)):
        return uploads.get(upload[1], "")
    return next(nameless, "") if kind == "upload-start" and line.is_good else ""


def _told(lines: Sequence[Line]) -> set[str]:
    """The uploads of which it is known which request began them."""
    return {found[1] for line in lines if (found := _UPLOAD.search(_location(line)))}


def _location(line: Line) -> str:
    headers = line.exchange.response.headers if line.exchange else ()
    return next((value for name, value in headers if name.lower() == "location"), "")


def _digest(text: str) -> str:
    return text.replace("%3A", ":").replace("%3a", ":").lower()


def _named(lines: Sequence[Line]) -> dict[str, Role]:
    """The blobs that the manifests which travelled name, in their order."""
    found: dict[str, Role] = {}
    for line in lines:
        if line.exchange and line.kind.startswith("manifest"):
            for message in (line.exchange.request, line.exchange.response):
                for digest, role in _roles(message.body):
                    found.setdefault(digest, role)
    return found


def _roles(body: str) -> Iterator[tuple[str, Role]]:
    try:
        manifest: Any = json.loads(body)
        layers = manifest["layers"]
        for number, blob in enumerate([manifest["config"], *layers]):
            yield str(blob["digest"]), (number, len(layers))
    except (ValueError, KeyError, TypeError, RecursionError):
        return
