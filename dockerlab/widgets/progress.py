"""The map of the whole course: what is done, what is begun, and where to go on."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.course import outline, progress
from dockerlab.i18n import _, digits, ngettext
from dockerlab.widgets.view import View


@dataclass(frozen=True)
class Station:
    """A lesson on the map; `status` is done, started or open."""

    name: str
    title: str
    status: str
    word: str  # the status in the learner's language
    sign: str
    facts: str  # what is done of what there is to do
    here: bool  # whether she was there last
    counts: bool  # it is a lesson, and nothing to look things up in

    @property
    def link(self) -> str:
        """The lesson's file beside this notebook."""
        return f"{self.name}.ipynb"


class ProgressView(View):
    """What the learner has done of the whole course."""

    template = "progress"

    def __init__(self) -> None:
        self.confirming = False
        self.unkept = ""
        self.on_look()

    @property
    def title(self) -> str:
        """What is shown, and how much of it is done."""
        counted = self._counted
        done = sum(each.status == "done" for each in counted)
        said = ngettext(
            "Your way through the course: {done} of {count} lesson done",
            "Your way through the course: {done} of {count} lessons done",
            len(counted),
        )
        return said.format(done=digits(done), count=digits(len(counted)))

    @property
    def stations(self) -> list[Station]:
        """All lessons, in order."""
        return [self._station(lesson) for lesson in outline.lessons()]

    @property
    def _counted(self) -> list[Station]:
        return [each for each in self.stations if each.counts]

    @property
    def next(self) -> Station | None:
        """Where to go on: the lesson that she was in, else the first one that is not done."""
        stations = self._counted
        at = next((n for n, each in enumerate(stations) if each.here), 0)
        return next((each for each in stations[at:] + stations[:at] if each.status != "done"), None)

    @property
    def going_on(self) -> str:
        """What the way on is called."""
        return _("Go on with") if self._progress.last else _("Begin with")

    def forget(self) -> None:
        """Forget all progress; lab and notebooks stay."""
        self.confirming = False
        unkept = progress.forget()
        self.on_look()
        self.unkept = unkept
        self.show()

    def __repr__(self) -> str:
        lines = [self.title]
        for each in self.stations:
            facts = f" ({each.facts})" if each.facts else ""
            lines.append(f"{each.sign} {each.title}: {each.word}{facts}")
        return "\n".join(lines)

    def on_look(self, _value: object = None) -> None:
        """What is kept now, by whichever notebook."""
        self._progress = progress.load()
        self.unkept = self._progress.told or self.unkept

    def on_forget(self, _value: object) -> None:
        """Ask whether she means it."""
        self.confirming = True

    def on_keep(self, _value: object) -> None:
        """She does not."""
        self.confirming = False

    def on_really(self, _value: object) -> None:
        """She does."""
        self.forget()

    def _station(self, lesson: outline.Lesson) -> Station:
        status = self._progress.status(lesson)
        sign, word = {
            "done": ("✔", _("done")),
            "started": ("◐", _("begun")),
            "open": ("○", _("not begun yet")),
        }[status]
        here = lesson.name == self._progress.last
        facts, counts = self._facts(lesson), bool(lesson.minutes)
        return Station(lesson.name, lesson.title, status, word, sign, facts, here, counts)

    def _facts(self, lesson: outline.Lesson) -> str:
        passed = sum(self._progress.passed(each) for each in lesson.checks)
        right = sum(self._progress.right(lesson.name, each) for each in lesson.questions)
        facts = []
        if count := len(lesson.checks):
            said = ngettext("{done} of {count} check", "{done} of {count} checks", count)
            facts.append(said.format(done=digits(passed), count=digits(count)))
        if count := len(lesson.questions):
            said = ngettext("{done} of {count} question", "{done} of {count} questions", count)
            facts.append(said.format(done=digits(right), count=digits(count)))
        if lesson.minutes:
            said = ngettext("{count} minute", "{count} minutes", lesson.minutes)
            facts.append(said.format(count=digits(lesson.minutes)))
        return " · ".join(facts)
