"""How far a push or a pull has come, layer by layer, and the way to end it before its time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from dockerlab.errors import Cancelled
from dockerlab.registry.transfer import State, Step

ENDS = ("done", "exists", "mounted")
_MOVING = ("uploading", "downloading")
_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})", re.IGNORECASE)


@dataclass
class Layer:
    """One layer by docker's short ID; `total` is 0 where its size is not known."""

    id: str
    state: State = "waiting"
    current: int = 0
    total: int = 0
    source: str = ""  # the repository that it was mounted from
    began: float = 0
    ended: float = 0

    @property
    def travels(self) -> bool:
        """Whether it goes over the wire, as one that the other side has not got."""
        return self.state not in ("exists", "mounted")

    @property
    def moved(self) -> int:
        """Bytes that went over the wire."""
        return self.current if self.travels else 0

    @property
    def speed(self) -> float:
        """Bytes a second, on average."""
        return _speed(self.moved, self.began, self.ended)


class Progress:
    """Is told each step and line by the engine, in any thread; others read it, and may `cancel`."""

    def __init__(self) -> None:
        self.layers: dict[str, Layer] = {}
        self.lines: list[str] = []
        self.began, self.ended = time.monotonic(), 0.0
        self.abort: Callable[[], None] = lambda: None  # ends a wait for somebody who says nothing
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it to end."""
        return self._cancelled.is_set()

    @property
    def digest(self) -> str:
        """What the name points to in the registry, as docker told it; or ""."""
        found = (_DIGEST.search(line) for line in reversed(self.lines))
        return next((match[1] for match in found if match), "")

    @property
    def moving(self) -> list[Layer]:
        """The layers that go over the wire."""
        return [one for one in list(self.layers.values()) if one.travels]

    @property
    def moved(self) -> int:
        """Bytes that went over the wire."""
        return sum(layer.moved for layer in self.moving)

    @property
    def total(self) -> int:
        """Bytes that go over the wire in all, as far as that is known."""
        return sum(max(layer.total, layer.current) for layer in self.moving)

    @property
    def speed(self) -> float:
        """Bytes a second, on average, since the first one."""
        began = min((layer.began for layer in self.moving if layer.began), default=0)
        return _speed(self.moved, began, self.ended)

    @property
    def seconds(self) -> float:
        """How long it takes, or took."""
        return (self.ended or time.monotonic()) - self.began

    def say(self, line: str) -> None:
        """What docker prints."""
        self.lines.append(line)

    def step(self, step: Step) -> None:
        """The next step of a layer, `digest` being docker's short ID; Cancelled."""
        self.check()
        layer = self.layers.setdefault(step.digest, Layer(step.digest))
        if step.state in _MOVING and not layer.began:
            layer.began = time.monotonic()
        if step.state in ENDS:
            layer.ended = time.monotonic()
        layer.current, layer.total = step.current, step.total
        layer.state, layer.source = step.state, step.source

    def check(self) -> None:
        """Cancelled if somebody wants it to end."""
        if self.cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """End it at its next step, at the latest."""
        self._cancelled.set()
        self.abort()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = time.monotonic()


def _speed(moved: int, began: float, ended: float) -> float:
    return moved / max((ended or time.monotonic()) - began, 0.001) if began else 0
