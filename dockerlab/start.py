"""What `dockerlab` does: JupyterLab on the learner's copy of the lessons, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerlab import workspace
from dockerlab.errors import Unreachable
from dockerlab.i18n import _, language

if TYPE_CHECKING:
    from dockerlab.jupyter import Jupyter


def run(folder: Path, *, lang: str | None, lesson: str | None, port: int, browser: bool) -> None:
    """Open the course, and come back when all that it started has ended."""
    from dockerlab.engine import current
    from dockerlab.engine.home import home, private
    from dockerlab.jupyter import trust
    from dockerlab.jupyter.language import speak
    from dockerlab.lab import lab

    current()  # a wish that cannot be granted is said before anything is written
    page = _page(lang, lesson)
    mine = workspace.prepare(folder)
    _tell_what_changed(mine)
    state = private(private(home()) / "jupyter")
    trust(state, (mine.path / name for name in mine.ours))
    speak(state, lang or language(), wished=bool(lang))
    _say(repr(lab), _("Lessons: {folder}").format(folder=mine.path))
    address = {_("Open this address in your browser:"): f"lab/tree/{page}"}
    keep_open(mine.path, state, port, address, browser)


def keep_open(
    folder: Path,
    state: Path,
    port: int,
    pages: Mapping[str, str],
    browser: bool,
    options: Sequence[str] = (),
) -> None:
    """JupyterLab on `folder` until the learner ends it; `pages` are what to say -> which page."""
    from dockerlab.engine import hosts
    from dockerlab.jupyter import Jupyter

    with _Signals() as signals:
        _say(_("Starting JupyterLab …"))
        server = Jupyter(folder, state, port, *options)
        try:
            _stay(server, pages, browser, signals)
        finally:
            server.end(lambda: signals.count > 1)
            for host in hosts():
                with suppress(Unreachable):  # it has ended before us, with all that it ran
                    host.stop_all()
    _say(_("Everything is closed. Your lessons are kept. Bye!"))


def _page(lang: str | None, lesson: str | None) -> str:
    if lesson is not None:
        return f"{lang or language()}/{workspace.lesson(lesson)}"
    return f"{lang}/{workspace.lesson('0')}" if lang else workspace.START


def _tell_what_changed(mine: workspace.Workspace) -> None:
    for name in mine.beside:
        said = _("A file that you have changed has a newer version, laid beside yours: {name}")
        _say(said.format(name=mine.path / name))


def _stay(server: Jupyter, pages: Mapping[str, str], browser: bool, signals: _Signals) -> None:
    """Until the learner ends it, here or in JupyterLab's menu."""
    while not server.is_ready():
        if signals.count:
            return
        time.sleep(0.05)
    for said, page in pages.items():
        _say("", said, f"    {server.address(page)}")
    _say("", _("Ctrl-C here ends the course and everything it started."))
    if browser and _has_screen():
        for page in pages.values():
            webbrowser.open(server.address(page), new=len(pages) > 1)
    while server.is_running() and not signals.count:
        time.sleep(0.1)
    _say("", _("Closing the lab …"))


def _has_screen() -> bool:
    """Whether a browser can open a window; without one, a text browser would take the terminal."""
    if sys.platform in ("win32", "darwin") or "BROWSER" in os.environ:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class _Signals:
    """Counts the signals that ask this program to end.

    Nothing is raised from a handler: an exception in the midst of anything may leave a lock held.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            if number := getattr(signal, name, None):
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, _number: int, _frame: object) -> None:
        self.count += 1


def _say(*lines: str) -> None:
    with suppress(OSError):  # the terminal may be gone, and there is still work to do
        print(*lines, sep="\n", flush=True)
