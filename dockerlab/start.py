"""What `dockerlab` does: JupyterLab on the learner's copy of the lessons, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from dockerlab import workspace
from dockerlab.i18n import _, language

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded
    from dockerlab.jupyter import Jupyter


def run(folder: Path, *, lang: str | None, lesson: str | None, port: int, browser: bool) -> None:
    """Open the course, and come back when all that it started has ended."""
    from dockerlab.engine.home import home, private
    from dockerlab.jupyter import Jupyter, trust
    from dockerlab.lab import lab

    page = _page(lang, lesson)
    mine = workspace.prepare(folder)
    _tell_what_changed(mine)
    state = private(private(home()) / "jupyter")
    trust(state, (mine.path / name for name in mine.ours))
    _say(repr(lab), _("Lessons: {folder}").format(folder=mine.path), _("Starting JupyterLab …"))
    with _signals():
        server = None
        try:
            server = Jupyter(mine.path, state, port)
            _stay(server, server.url(page), browser)
        except KeyboardInterrupt:
            _say("", _("Closing the lab …"))
        finally:
            _end(server)


def hosts() -> list[Embedded]:
    """All docker hosts of the embedded engine."""
    from dockerlab.engine import current

    engine = current()
    names = sorted(path.name for path in (engine.root / "hosts").glob("*"))
    return [engine.neighbour(name) for name in names]


def _page(lang: str | None, lesson: str | None) -> str:
    if lesson is not None:
        return f"{lang or language()}/{workspace.lesson(lesson)}"
    return f"{lang}/{workspace.lesson('0')}" if lang else workspace.START


def _tell_what_changed(mine: workspace.Workspace) -> None:
    for name in mine.beside:
        said = _("A file that you have changed has a newer version, laid beside yours: {name}")
        _say(said.format(name=mine.path / name))


def _stay(server: Jupyter, url: str, browser: bool) -> None:
    _say("", _("Open this address in your browser:"), f"    {url}", "")
    _say(_("Ctrl-C here ends the course and everything it started."))
    if browser and _has_screen():
        webbrowser.open(url)
    server.wait()


def _has_screen() -> bool:
    """Whether a browser can open a window; without one, a text browser would take the terminal."""
    if sys.platform in ("win32", "darwin") or "BROWSER" in os.environ:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _end(server: Jupyter | None) -> None:
    """End JupyterLab and stop the containers; another Ctrl-C skips what is gentle about it."""
    try:
        if server is not None:
            server.end()
    except KeyboardInterrupt:
        pass
    finally:
        for host in hosts():
            host.stop_all()
    _say(_("Everything is closed. Your lessons are kept. Bye!"))


@contextmanager
def _signals() -> Iterator[None]:
    """Let every way in which the system ends a program do what Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _say(*lines: str) -> None:
    with suppress(OSError):  # the terminal may be gone, and there is still work to do
        print(*lines, sep="\n", flush=True)
