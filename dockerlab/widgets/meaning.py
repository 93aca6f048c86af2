"""What an error means, under docker's own words, with buttons for what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from dockerlab.course.causes import Act, explained
from dockerlab.course.explain import Meaning
from dockerlab.widgets.view import View

TROUBLESHOOTING = "troubleshooting"  # the notebook in which errors are provoked and mended


@dataclass
class Step:
    """An act that is offered, and how far it has come."""

    act: Act
    is_asking: bool = False
    is_busy: bool = False
    output: str = ""
    status: int | None = None  # how it ended
    meaning: Meaning | None = None  # of what went wrong with it


class MeaningView(View):
    """An explanation, and the steps that can be taken here."""

    template = "meaning"

    def __init__(self, meaning: Meaning) -> None:
        self.show_meaning(meaning)

    def show_meaning(self, meaning: Meaning | None) -> None:
        """Begin anew, with this one."""
        self.meaning = meaning
        self.practice = _practice(meaning.section) if meaning else ""
        self.steps = [Step(act) for act in meaning.acts] if meaning else []

    def __repr__(self) -> str:
        return str(self.meaning)

    def on_act(self, number: str) -> None:
        """Do it, or ask first."""
        if (step := self._step(number)) and step.act.sure:
            step.is_asking = True
        elif step:
            self._do(step)

    def on_sure(self, number: str) -> None:
        """Do what was asked about."""
        if (step := self._step(number)) and step.is_asking:
            self._do(step)

    def on_leave(self, number: str) -> None:
        """Do not."""
        if step := self._step(number):
            step.is_asking = False

    def _step(self, number: str) -> Step | None:
        """The one with that number, if it can be taken now."""
        place = int(number)
        step = self.steps[place] if 0 <= place < len(self.steps) else None
        return step if step and step.act.runs and not step.is_busy and step.status != 0 else None

    def _do(self, step: Step) -> None:
        step.is_asking, step.is_busy = False, True
        step.output, step.status, step.meaning = "", None, None
        self.in_background(lambda: self._carry_out(step))

    def _carry_out(self, step: Step) -> None:
        from dockerlab.engine.serving import serve

        said, status = StringIO(), 1
        try:
            for line in step.act.lines:
                status = serve(line, said, said)
                if status:
                    step.meaning = explained(said.getvalue(), line)
                    break
            if status == 0 and step.act.then and any(step is each for each in self.steps):
                self.steps.append(Step(step.act.then))
        finally:
            step.output, step.status, step.is_busy = said.getvalue().strip(), status, False


def _practice(section: str) -> str:
    """The link to where an error can be tried; "" where the learner is just doing so."""
    from dockerlab.course import progress

    there = section and progress.load().last != TROUBLESHOOTING
    return f"{TROUBLESHOOTING}.ipynb#{section}" if there else ""
