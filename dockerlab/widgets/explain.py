"""An error that was pasted, explained; or a box to paste one into."""

from __future__ import annotations

from typing import Any

from dockerlab.course.pasted import answer, read
from dockerlab.i18n import _
from dockerlab.widgets.meaning import MeaningView


class ExplainView(MeaningView):
    """What was pasted, its secrets covered, and what it means."""

    template = "explain"
    limit = 1_000_000  # characters that the box takes; their end is read

    def __init__(self, text: object = "") -> None:
        self.in_cell = True  # what was covered still stands where it was typed
        self._take(text)

    def _take(self, text: object) -> None:
        self.pasted = read("" if text is None else text)
        self.show_meaning(answer(self.pasted) if self.pasted.text else None)

    @property
    def note(self) -> str:
        """What is said of secrets; or ""."""
        if not self.pasted.covered:
            return ""
        covered = _("Something in it looked like a password. It is covered here and kept nowhere.")
        cell = _("Take it out of your cell too: whoever gets this notebook reads it.")
        return f"{covered} {cell}" if self.in_cell else covered

    @property
    def empty(self) -> str:
        """What is said as long as nothing was pasted."""
        return _('Nothing to explain yet. Put the error between the quotes: lab.explain("…")')

    def __repr__(self) -> str:
        return "\n".join(filter(None, [str(self.meaning or self.empty), self.note]))

    def on_explain(self, form: dict[str, Any]) -> None:
        """Explain what was pasted into the box."""
        self.in_cell = False
        self._take(form.get("text"))
