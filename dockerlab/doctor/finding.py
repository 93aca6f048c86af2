"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OK: Literal["ok"] = "ok"
WARNING: Literal["warning"] = "warning"  # it works, but …
FAULT: Literal["fault"] = "fault"  # a class would stumble over it
State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Finding:
    """`name` is the same in every language; `label`, `value` and `fix` are the reader's.

    `value` says what was seen, `fix` what to do about it, or "".
    """

    name: str
    label: str
    state: State
    value: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        """Its stable form: name, state, value, fix."""
        return {"name": self.name, "state": self.state, "value": self.value, "fix": self.fix}
