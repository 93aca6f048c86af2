"""Guessing passwords is slowed: after some failures, each attempt has to wait for longer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_FREE = 5  # failures that cost nothing: people mistype
_FIRST, _LONGEST = 0.5, 8.0  # seconds to wait for, doubled with each failure
_FORGOTTEN = 900  # seconds after which failures no longer count
_KNOWN = 10_000  # pairs of address and user that are remembered


@dataclass
class _Record:
    failures: int = 0
    seen: float = 0


class Brake:
    """Counts the failures of each (address, user); `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._records: OrderedDict[tuple[str, str], _Record] = OrderedDict()

    def delay(self, who: tuple[str, str]) -> float:
        """Seconds to wait before the next attempt."""
        beyond = self._record(who).failures - _FREE
        # Doubled for as long as it matters: after a million failures 2.0 ** n is no number.
        return 0 if beyond < 0 else min(_FIRST * 2 ** min(beyond, 10), _LONGEST)

    def failed(self, who: tuple[str, str]) -> int:
        """Another failure; gives how many there were."""
        record = self._record(who)
        record.failures, record.seen = record.failures + 1, self._now()
        self._records[who] = record
        self._records.move_to_end(who)
        while len(self._records) > _KNOWN:
            self._records.popitem(last=False)
        return record.failures

    def succeeded(self, who: tuple[str, str]) -> None:
        """Forget the failures."""
        self._records.pop(who, None)

    def _record(self, who: tuple[str, str]) -> _Record:
        record = self._records.get(who)
        if record and self._now() - record.seen <= _FORGOTTEN:
            return record
        return _Record()
