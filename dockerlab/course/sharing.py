"""How far a learner is, told to her own class if she has agreed to that, and to nobody else.

    POST https://HOST:PORT/progress    {"lesson": LESSON, "checks": {CHECK: {"tries", "passed"}}}

It is all that is told: no code, no answers, no paths. Each time it is the whole of it, so that an
instructor's machine which was asleep has missed nothing. Nothing waits for it, and nothing fails.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dockerlab.course import membership

_PATIENCE = 3  # seconds
_lock = threading.Lock()
_waiting: dict[str, Any] | None = None
_busy = False


def summary(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of the data that `progress` keeps."""
    checks = data.get("checks", {})
    return {
        "lesson": data.get("last", ""),
        "checks": {
            name: {"tries": each["tries"], "passed": bool(each["passed"])}
            for name, each in checks.items()
        },
    }


def tell(data: Mapping[str, Any]) -> None:
    """Tell the class of it, beside whatever goes on; at once if there is no class."""
    with suppress(OSError, RuntimeError):  # no more threads, as Python ends
        there = membership.find()
        if there and there.share:
            _send_soon(summary(data))


def _send_soon(now: dict[str, Any]) -> None:
    global _waiting, _busy
    with _lock:
        _waiting = now
        if not _busy:
            threading.Thread(target=_work, name="dockerlab-sharing", daemon=True).start()
            _busy = True


def _work() -> None:
    """Send the newest until there is no newer one."""
    global _waiting, _busy
    while True:
        with _lock:
            now, _waiting = _waiting, None
            if now is None:
                _busy = False
                return
        with suppress(Exception):  # whatever it is, it is no concern of the learner's lesson
            send(now)


def send(now: Mapping[str, Any]) -> bool:
    """Whether the class has taken it; she may have left, or withdrawn, a moment ago."""
    there = membership.find()
    site = there.site(_PATIENCE) if there and there.share else None
    return site is not None and site.ask("POST", "/progress", now)[0] == 204
