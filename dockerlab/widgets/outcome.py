"""What a check says, as a notebook shows it: green or not in a sign and in words."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.widgets.html import render


@dataclass(frozen=True)
class OutcomeView:
    """`text` in the learner's language, after ✔ or ✘."""

    ok: bool
    text: str

    @property
    def sign(self) -> str:
        """✔ or ✘."""
        return "✔" if self.ok else "✘"

    def __repr__(self) -> str:
        return f"{self.sign} {self.text}"

    def _repr_html_(self) -> str:
        return render("outcome", view=self)


@dataclass(frozen=True)
class Note:
    """One line that tells what the lab just did."""

    text: str

    def __repr__(self) -> str:
        return self.text
