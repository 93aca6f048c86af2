"""Requests and their answers as facts, seen by a client or told by a registry's log.

Logs are those of dockerlab's registry and of the Distribution project's, 2.8 and 3: logrus's lines
(text or JSON), lines in the combined format, or both for one request.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from dockerlab.registry.journal import clean

if TYPE_CHECKING:
    from dockerlab.registry.exchange import Exchange

_FIELD = re.compile(r'([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)')
_COMBINED = re.compile(
    r"""\S+ \s - \s .*? \s \[[^\]]+\] \s               # client, user, moment
    "(?P<method>[A-Z]+) \s (?P<path>(?:[^"\\]|\\.)*) \s HTTP/[\d.]+" \s
    (?P<status>\d{3}) \s (?P<received>\d+|-) (?:\s|$)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_UNITS = {"h": 3.6e6, "m": 6e4, "s": 1e3, "ms": 1, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)")


@dataclass(frozen=True)
class Event:
    """One request, and what was answered; `path` with its query, but no secrets.

    `sent` and `received` are the bytes of the bodies, as the client sees them; None where nobody
    counted. `status` is 0 if there was no answer. `host` is what the client spoke to.
    """

    side: Literal["client", "server"]
    method: str
    path: str
    status: int
    sent: int | None
    received: int
    milliseconds: float | None = None
    host: str = ""

    @property
    def target(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the `?`."""
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))


def observed(exchange: Exchange) -> Event:
    """What a client has seen."""
    path = exchange.path + ("?" + exchange.query if exchange.query else "")
    return Event(
        "client",
        exchange.method,
        clean(path),
        exchange.status,
        exchange.sent,
        exchange.received,
        exchange.milliseconds,
        exchange.host,
    )


def parse(lines: Iterable[str]) -> list[Event]:
    """The requests that a registry's log tells of, in its order, each once.

    Docker may put the two lines of a request in either order: the real registry writes one of
    them to standard output and the other to standard error.
    """
    events: list[Event] = []
    told: Counter[tuple[str, str, int]] = Counter()  # by logrus, and not yet in the access log
    early: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)  # the other way round
    for line in lines:
        if event := _of_logrus(line):
            if places := early[_key(event)]:
                events[places.pop(0)] = event
                continue
            told[_key(event)] += 1
        elif event := _of_access(line):
            if told[_key(event)]:
                told[_key(event)] -= 1
                continue
            early[_key(event)].append(len(events))
        else:
            continue
        events.append(event)
    return events


def _key(event: Event) -> tuple[str, str, int]:
    return event.method, event.path, event.status


def _of_access(line: str) -> Event | None:
    found = _COMBINED.match(line)
    if not found:
        return None
    received = int(found["received"].replace("-", "0"))
    path = clean(_unescaped(found["path"]))
    # The real registry counts what it would have sent.
    received = 0 if found["method"] == "HEAD" else received
    return Event("server", found["method"], path, int(found["status"]), None, received)


def _of_logrus(line: str) -> Event | None:
    if "http.response.status" not in line:
        return None
    fields = _fields(line)
    try:
        if not str(fields["msg"]).startswith("response completed"):
            return None
        method, read = str(fields["http.request.method"]), fields.get("http.request.read")
        return Event(
            "server",
            method,
            clean(str(fields["http.request.uri"])),
            int(fields["http.response.status"]),
            int(read) if read is not None else None,
            0 if method == "HEAD" else int(fields.get("http.response.written", 0)),
            _milliseconds(str(fields.get("http.response.duration", ""))),
        )
    except (KeyError, ValueError, TypeError):  # a line that was cut off
        return None


def _fields(line: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {name: _bare(value) for name, value in _FIELD.findall(line)}
    try:
        fields: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return {"msg": fields.get("message"), **fields}


def _bare(value: str) -> str:
    return _unescaped(value[1:-1]) if value[:1] == '"' else value


def _unescaped(text: str) -> str:
    """A text out of Go's quotation marks, or Python's."""

    def char(found: re.Match[str]) -> str:
        number = found[1] or found[2] or found[3]
        try:
            return chr(int(number, 16)) if number else _LETTERS.get(found[4], found[4])
        except (ValueError, OverflowError):
            return "\ufffd"

    return _ESCAPE.sub(char, text) if "\\" in text else text


def _milliseconds(text: str) -> float | None:
    """A length of time as Go writes it."""
    parts = _PART.findall(text)
    return round(sum(float(count) * _UNITS[unit] for count, unit in parts), 6) if parts else None
