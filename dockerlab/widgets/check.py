"""What a check says, as a notebook shows it: green or not, hint after hint, then the solution."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dockerlab.course import checks, hints, progress
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine


class CheckView(View):
    """The check `name` of what `engine` has, or of an answer; looked at again when asked."""

    template = "check"

    def __init__(
        self, name: object, engine: Engine, answer: Any = None, registry: str = ""
    ) -> None:
        self.name = str(name)
        self._engine, self._answer, self._registry = engine, answer, registry
        self._lock = threading.Lock()  # one look at a time
        self.busy = False
        self.told = 0  # further hints that are shown
        self.confirming = False
        self.solution = ""
        self.unkept = ""  # why progress is not kept
        self._look()

    @property
    def ok(self) -> bool:
        """Whether the check is green."""
        return self.outcome.ok

    @property
    def sign(self) -> str:
        """✔ or ✘."""
        return "✔" if self.ok else "✘"

    @property
    def text(self) -> str:
        """What was seen, in the learner's language."""
        return hints.said(self.outcome)

    @property
    def hints(self) -> list[str]:
        """Further hints that she asked for."""
        return self._hints()[: self.told]

    @property
    def more(self) -> bool:
        """Whether there is another hint."""
        return self.told < len(self._hints())

    @property
    def solvable(self) -> bool:
        """Whether a solution can be shown."""
        return not self.ok and bool(hints.solution(self.name, self.outcome))

    @property
    def repeatable(self) -> bool:
        """Whether looking again can see something else: an answer comes from its cell only."""
        return self._answer is None and self.outcome.key != "unknown"

    def __repr__(self) -> str:
        return f"{self.sign} {self.text}"

    def on_again(self, _value: object) -> None:
        """Look again."""
        self._ask(self._look)

    def on_hint(self, _value: object) -> None:
        """Another hint, if what was hinted at before is still so."""

        def work() -> None:
            before = self.outcome
            self._look()
            if before.key == self.outcome.key and self.more:
                self.told += 1

        self._ask(work)

    def on_solve(self, _value: object) -> None:
        """Ask whether she really wants to see the solution."""
        self.confirming = True

    def on_keep(self, _value: object) -> None:
        """She would rather find it herself."""
        self.confirming = False

    def on_reveal(self, _value: object) -> None:
        """Show the solution."""
        self.confirming, self.solution = False, hints.solution(self.name, self.outcome)

    def _hints(self) -> list[str]:
        return hints.more(self.name, self.outcome)

    def _ask(self, work: Any) -> None:
        if not self._lock.acquire(blocking=False):
            return  # it is being looked at

        def run() -> None:
            try:
                work()
            finally:
                self.busy = False
                self._lock.release()

        self.busy = True
        self.in_background(run)

    def _look(self) -> None:
        seen = checks.run(self.name, self._engine, self._answer, registry=self._registry)
        before, self.outcome = getattr(self, "outcome", seen), seen
        if before.key != seen.key:  # which is a hint of its own
            self.told, self.confirming, self.solution = 0, False, ""
        if seen.key != "unknown":
            self.unkept = progress.checked(self.name, seen.ok)
