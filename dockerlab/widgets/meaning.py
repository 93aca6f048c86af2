"""What an error means, under docker's own words."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.course.explain import Meaning
from dockerlab.widgets.html import render


@dataclass(frozen=True, repr=False)
class MeaningView:
    """An explanation as a notebook shows it."""

    meaning: Meaning

    def __repr__(self) -> str:
        return str(self.meaning)

    def _repr_html_(self) -> str:
        return render("meaning", meaning=self.meaning)
