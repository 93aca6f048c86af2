"""The steps of the capstone: which of them are done, and what is seen of each right now."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dockerlab.course import capstone
from dockerlab.i18n import _, digits
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from dockerlab.course.capstone import Step
    from dockerlab.engine.base import Engine


class CapstoneView(View):
    """All steps in one list, looked at from outside, and again when asked."""

    template = "capstone"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()  # one look at a time
        self.busy = False
        self.steps = capstone.look(engine)

    @property
    def title(self) -> str:
        """What is shown, and how much of it is done now."""
        done = sum(step.ok for step in self.steps)
        said = _("The team's registry: {done} of {count} steps")
        return said.format(done=digits(done), count=digits(len(self.steps)))

    @property
    def onward(self) -> str:
        """What to do when each step was done once; or ""."""
        done = all(step.once for step in self.steps)
        return (
            _("All that the team wants is done. Your page is waiting: lab.diploma") if done else ""
        )

    def __repr__(self) -> str:
        lines = [self.title]
        lines += [f"{sign(step)} {step.title}: {step.text or step.status}" for step in self.steps]
        return "\n".join(filter(None, [*lines, self.onward]))

    def on_again(self, _value: object) -> None:
        """Look again."""
        if not self._lock.acquire(blocking=False):
            return  # it is being looked at

        def run() -> None:
            try:
                self.steps = capstone.look(self._engine)
            finally:
                self.busy = False
                self._lock.release()

        self.busy = True
        self.in_background(run)


def sign(step: Step) -> str:
    """✔ or ✘."""
    return "✔" if step.ok else "✘"
