"""The lab at a glance, kept up to date: what runs, what is there, and the way back to nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from dockerlab import i18n
from dockerlab.course import moving
from dockerlab.course.causes import Act, explained
from dockerlab.engine.base import Engine
from dockerlab.engine.telling import Row, rows
from dockerlab.errors import DockerlabError
from dockerlab.i18n import LANGUAGES, _, language
from dockerlab.widgets import inventory as stock
from dockerlab.widgets.html import render
from dockerlab.widgets.meaning import Step
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from dockerlab.engine.container import Container

_ALL = "*"  # in place of a container's name: the whole lab


class Dashboard(View):
    """What `lab` shows; `engine` is asked anew each time, `hosts` are all that a reset empties."""

    template = "dashboard"
    all = _ALL
    languages = LANGUAGES

    def __init__(self, engine: Callable[[], Engine], hosts: Callable[[], Sequence[Engine]]) -> None:
        self._engine, self._hosts = engine, hosts
        self.inventory: stock.Inventory | None = None
        self.lost = ""  # why the engine does not tell
        self.counts: dict[str, str] = {}  # what each registry holds, by its address
        self.disk = ""
        self.asking = ""  # whom it is asked about: a container's name
        self.gone: list[Row] = []  # what a reset would remove
        self.busy: set[str] = set()
        self.last: Step | None = None
        self.note, self.failure = "", ""  # how a reset went
        self.rows: list[Row] = []  # as they were when it was last looked
        self._looking, self._weighing = threading.Lock(), threading.Lock()

    def __repr__(self) -> str:
        return "\n".join(f"{label}: {value}" for label, value in _rows())

    @property
    def is_looking(self) -> bool:
        """Whether it is just being looked what there is."""
        return self._looking.locked() or self._weighing.locked()

    def html(self, live: bool = False) -> str:
        """The rows only, or, `live`, all that is there."""
        if not live:
            return render("lab", rows=_rows())
        if self.inventory is None and not self.lost:
            self.refresh()
            self.in_background(self._weigh)
        return render(self.template, view=self, live=True, stock=stock)

    def refresh(self) -> None:
        """Look at the engine again."""
        self.rows = _rows()
        try:
            self.inventory = stock.look(self._engine())
            self.lost = ""
        except (DockerlabError, OSError) as error:
            self.inventory, self.lost = None, str(error)

    def on_beat(self, _value: object) -> None:
        """Time has passed."""
        self.in_background(self._look_again)

    def _look_again(self) -> None:
        """Look what there is now, unless an engine that hangs is still being asked."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self.refresh()
        finally:
            self._looking.release()
        running = self.inventory.registries if self.inventory else ()
        if {one.address for one in running} - self.counts.keys():
            self._weigh()

    def on_look(self, _value: object) -> None:
        """Ask the registries again, and how much room is taken."""
        self.counts = {}
        self.refresh()
        self.in_background(self._weigh)

    def on_lang(self, code: str) -> None:
        """Speak another language, as `%lang` does."""
        if code in LANGUAGES:
            i18n.choose(code)
            self.counts, self.last, self.note = {}, None, ""
            self.refresh()
            self.in_background(self._weigh)

    def on_start(self, name: str) -> None:
        """Start a container of the lab."""
        self._run(name, _("Start {name}"), "start", name)

    def on_stop(self, name: str) -> None:
        """Stop one; that may take a while."""
        self._run(name, _("Stop {name}"), "stop", name)

    def on_remove(self, name: str) -> None:
        """Ask whether a container is to go."""
        if self._ours(name):
            self.asking = name

    def on_reset(self, _value: object) -> None:
        """Ask whether everything is to go, and tell what that is."""
        self.gone, self.asking = stock.removable(self._hosts()), _ALL
        self.note, self.failure = "", ""

    def on_leave(self, _value: object) -> None:
        """Nothing goes."""
        self.asking = ""

    def on_sure(self, name: str) -> None:
        """What was asked about goes."""
        if not name or name != self.asking:
            return
        self.asking = ""
        if name != _ALL:
            self._run(name, _("Remove {name}"), "rm", name)
        elif _ALL not in self.busy:
            self.busy.add(_ALL)
            self.in_background(self._reset)

    def _ours(self, name: str) -> Container | None:
        known = self.inventory.containers if self.inventory else ()
        return next((one for one in known if one.name == name), None)

    def _run(self, name: str, label: str, *line: str) -> None:
        """Carry out a docker line about a container of the lab, beside the kernel."""
        if not self._ours(name) or name in self.busy:
            return
        self.busy.add(name)
        self.note = ""
        step = Step(Act(label.format(name=name), (line,)), is_busy=True)
        self.last = step
        self.in_background(lambda: self._carry_out(name, step))

    def _carry_out(self, name: str, step: Step) -> None:
        from dockerlab.engine.serving import serve

        said, line = StringIO(), step.act.lines[0]
        try:
            step.status = serve(line, said, said)
            step.output = said.getvalue().strip()
            step.meaning = explained(step.output, line) if step.status else None
        finally:
            step.is_busy = False
            self.counts = {}
            self.refresh()
            self.busy.discard(name)
        self.show()
        self._weigh()

    def _reset(self) -> None:
        try:
            self.note, self.last = "\n".join(moving.reset(self._engine())), None
        except DockerlabError as error:
            self.failure = error.message()
        finally:
            self.counts = {}
            self.refresh()
            self.busy.discard(_ALL)
        self.show()
        self._weigh()

    def _weigh(self) -> None:
        """Ask what takes time: the registries, and the disk."""
        inventory = self.inventory
        if inventory is None or not self._weighing.acquire(blocking=False):
            return
        try:
            for one in inventory.registries:
                self.counts[one.address] = stock.count_repositories(inventory.engine, one.address)
            self.disk = stock.disk(inventory.engine)
        finally:
            self._weighing.release()


def _rows() -> list[Row]:
    """The engine in use, its Docker Hub, and the language."""
    return [*rows(), (_("Language"), LANGUAGES[language()])]
