"""What requests to a registry mean: what the client asks, and what the status answers.

The data is `requests.yaml`: for each kind of request a pattern and, in `bn` and `en`, what is asked
and what each status says to that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from dockerlab.course.data import load
from dockerlab.i18n import pick

if TYPE_CHECKING:
    from dockerlab.registry.events import Event

Texts = dict[str, str]  # by language


class Meaning(NamedTuple):
    """What was asked and answered, in the learner's language; `kind` is a key of the data."""

    kind: str
    asks: str
    answers: str

    def __str__(self) -> str:
        return f"{self.asks} {self.answers}"


@dataclass(frozen=True)
class Kind:
    """One kind of request: its key and how it looks, and its texts; statuses are 404 or "4xx"."""

    key: str
    pattern: re.Pattern[str]
    asks: Texts
    answers: dict[int | str, Texts]


def meaning(event: Event) -> Meaning:
    """What a request and its answer mean."""
    kinds, text = known_requests(), f"{event.method} {event.path}"
    kind, found = next((kind, found) for kind in kinds if (found := kind.pattern.match(text)))
    asks = pick(kind.asks).replace("{name}", found.groupdict().get("name", ""))
    return Meaning(kind.key, asks, _answer(event.status, kind, kinds[-1]))


@cache
def known_requests() -> tuple[Kind, ...]:
    """All kinds that the course knows, the most particular first; the last one is any other."""
    return tuple(
        Kind(key, re.compile(entry["is"]), entry["asks"], entry["answers"])
        for key, entry in load("requests.yaml").items()
    )


def _answer(status: int, *kinds: Kind) -> str:
    for kind in kinds:
        for name in (status, f"{status // 100}xx"):
            if name in kind.answers:
                return pick(kind.answers[name])
    return ""
