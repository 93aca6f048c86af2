"""How many images Docker Hub lets one address pull, as the headers of its answers have it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerlab.errors import DockerlabError
from dockerlab.registry.client import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockerlab.registry.exchange import Exchange

_PREVIEW = "/v2/ratelimitpreview/test/manifests/latest"  # asking for its head costs no pull
_VALUE = re.compile(r"(\d+)(?:;w=(\d+))?")
_SILENCE = 5  # seconds


@dataclass(frozen=True)
class Limit:
    """At `most` so many pulls in `seconds`, of which some are `left`; 0 of 0 if there is none."""

    most: int = 0
    left: int = 0
    seconds: int = 0


def ask(connect: Callable[..., Registry] = Registry) -> Limit | None:
    """Docker Hub's limit for who has not logged in; None if it does not answer."""
    seen: list[Exchange] = []
    with (
        suppress(DockerlabError),
        connect("docker.io", silence=_SILENCE, observe=seen.append) as hub,
    ):
        hub.look("HEAD", _PREVIEW)
    answers = [each for each in seen if each.path == _PREVIEW and each.status in (200, 429)]
    return _read(dict(answers[-1].response.headers)) if answers else None


def _read(headers: dict[str, str]) -> Limit:
    known = {name.lower(): value for name, value in headers.items()}
    most = _VALUE.match(known.get("ratelimit-limit", ""))
    left = _VALUE.match(known.get("ratelimit-remaining", ""))
    if not most:
        return Limit()
    return Limit(int(most[1]), int(left[1]) if left else 0, int(most[2] or 21600))
