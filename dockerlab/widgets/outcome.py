"""One line that tells what the lab just did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One line that tells what the lab just did."""

    text: str

    def __repr__(self) -> str:
        return self.text
