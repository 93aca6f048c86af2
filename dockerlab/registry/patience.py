"""How long a client keeps trying when connections break."""

from __future__ import annotations

import time

from dockerlab.errors import RegistryError

WAITS = (0.1, 0.4, 1.2)  # seconds before the next attempts


class Patience:
    """Counts the failures in a row that brought a transfer no further."""

    def __init__(self) -> None:
        self._failures = 0
        self._reached = 0

    def lost(self, error: RegistryError, position: int) -> None:
        """A connection broke at byte `position`: wait, or raise `error` when it is too much."""
        if position > self._reached:
            self._failures, self._reached = 0, position
        if self._failures == len(WAITS):
            raise error
        time.sleep(WAITS[self._failures])
        self._failures += 1
