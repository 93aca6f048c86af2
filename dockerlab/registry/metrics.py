"""Figures of a registry in Prometheus's text format, by the names that the real registry has.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import re
import shutil
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

_HANDLERS = (  # as the real registry calls them; referrers are ours
    ("base", r"/v2/?"),
    ("catalog", r"/v2/_catalog"),
    ("tags", r"/v2/.+/tags/list"),
    ("referrers", r"/v2/.+/referrers/[^/]+"),
    ("manifest", r"/v2/.+/manifests/[^/]+"),
    ("blob_upload", r"/v2/.+/blobs/uploads/"),
    ("blob_upload_chunk", r"/v2/.+/blobs/uploads/[^/]+"),
    ("blob", r"/v2/.+/blobs/[^/]+"),
)
_PATH = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _HANDLERS))
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}  # a client may make up others
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60)
_BYTES = tuple(2**power for power in range(10, 32))
_STATM = Path("/proc/self/statm")


class Figures:
    """Counts requests; all in one thread. `root` is the folder whose disk is looked at."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._started = time.time()
        self._running = Counter({name: 0 for name, _ in _HANDLERS})
        self._answered: Counter[str] = Counter()
        self._seconds: defaultdict[str, _Histogram] = defaultdict(lambda: _Histogram(_SECONDS))
        self._read: defaultdict[str, _Histogram] = defaultdict(lambda: _Histogram(_BYTES))
        self._written: defaultdict[str, _Histogram] = defaultdict(lambda: _Histogram(_BYTES))

    def begin(self, scope: Scope) -> None:
        """A request has come."""
        self._running[_handler(scope)] += 1

    def end(self, scope: Scope, status: int, read: int, written: int, seconds: float) -> None:
        """It was answered, with so many bytes of body read and written."""
        handler, method = _handler(scope), scope["method"]
        method = method.lower() if method in _METHODS else "unknown"
        self._running[handler] -= 1
        self._answered[f'code="{status}",handler="{handler}",method="{method}"'] += 1
        self._seconds[f'handler="{handler}",method="{method}"'].add(seconds)
        self._read[f'handler="{handler}"'].add(read)
        self._written[f'handler="{handler}"'].add(written)

    def text(self) -> str:
        """All figures; asks the system for a few, but never walks through the storage."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        running = {f'handler="{name}"': count for name, count in self._running.items()}
        yield from _plain("http_in_flight_requests", "gauge", "Requests being served.", running)
        yield from _plain(
            "http_requests_total", "counter", "Requests that were answered.", self._answered
        )
        for name, help, kept in (
            ("http_request_duration_seconds", "Seconds from request to answer.", self._seconds),
            ("http_request_size_bytes", "Bytes of the bodies of requests.", self._read),
            ("http_response_size_bytes", "Bytes of the bodies of answers.", self._written),
        ):
            yield from _head(f"registry_{name}", "histogram", help)
            for labels in sorted(kept):
                yield from kept[labels].lines(f"registry_{name}", labels)
        with suppress(OSError):  # it is the health check that tells of it
            disk = shutil.disk_usage(self._root)
            for name, count in (("size", disk.total), ("free", disk.free)):
                help = f"Bytes of the disk that holds the storage, {name}."
                yield from _plain(f"storage_disk_{name}_bytes", "gauge", help, {"": count})
        yield from self._process()

    def _process(self) -> Iterator[str]:
        figures = [
            ("process_cpu_seconds_total", "counter", "CPU seconds spent.", time.process_time()),
            ("process_start_time_seconds", "gauge", "Start, since 1970.", self._started),
        ]
        with suppress(OSError):  # Linux only
            pages = int(_STATM.read_text(encoding="ascii").split()[1])
            size = pages * os.sysconf("SC_PAGE_SIZE")
            figures.append(("process_resident_memory_bytes", "gauge", "Memory in use.", size))
        for name, kind, help, value in figures:
            yield from (*_head(name, kind, help), f"{name} {value}")


class _Histogram:
    """How many values were at most as large as each of `bounds`."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*map(_bound, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self._sum:.9g}"
        yield f"{name}_count{{{labels}}} {total}"


def _handler(scope: Scope) -> str:
    found = _PATH.fullmatch(scope["path"])
    return found.lastgroup or "" if found else "other"


def _head(name: str, kind: str, help: str) -> tuple[str, str]:
    return f"# HELP {name} {help}", f"# TYPE {name} {kind}"


def _plain(name: str, kind: str, help: str, values: dict[str, int]) -> Iterator[str]:
    yield from _head(f"registry_{name}", kind, help)
    for labels, value in sorted(values.items()):
        yield f"registry_{name}{'{' + labels + '}' if labels else ''} {value}"


def _bound(value: float) -> str:
    """As Go writes it: 0.005, 1024, 1.048576e+06."""
    if value < 1e6:
        return f"{value:g}" if value < 1 else str(value)
    digits, exponent = f"{value:.9e}".split("e")
    return f"{digits.rstrip('0')}e{exponent}"
