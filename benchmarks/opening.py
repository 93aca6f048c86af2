"""From the command to the first lesson usable: `python benchmarks/opening.py [LESSON]`.

Twice: in an empty home, then in that same one. Seconds since the command was given, and for each
step; Chromium is open already, as a learner's browser is. Exits with 1 beyond ten seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from playwright.sync_api import Page, expect  # noqa: E402

from tests.pages import PANEL, READY, expose, open_page  # noqa: E402
from tests.running import Course, open_course  # noqa: E402

LIMIT = 10.0
STEPS = (
    "lessons copied and signed",
    "JupyterLab answers, its address is said",
    "page answered",
    "lesson drawn",
    "kernel ready",
    "first cell has run, its output seen",
)
CLEAR = "jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"


def opening(home: Path, lesson: str, page: Page) -> list[float]:
    """Seconds from the command to the end of each step."""
    times: list[float] = []
    mine = str(home.parent / "mine")
    began = time.perf_counter()

    def done() -> None:
        times.append(time.perf_counter() - began)

    options = ["--lang", "en", "--lesson", lesson, "--port", "0", "--dir", mine]
    with open_course(home, *options, until="Lessons:") as course:
        done()
        course.hear("Ctrl-C")
        done()
        use(course, page, done)
        course.end(signal.SIGINT)
    return times


def use(course: Course, page: Page, done: Callable[[], None]) -> None:
    """Open the lesson and run its first cell, as a learner does."""
    page.goto(course.url, wait_until="commit")
    done()
    cell = page.locator(f"{PANEL} .jp-CodeCell").first
    cell.locator(".jp-OutputArea-output").wait_for()
    done()
    page.evaluate(READY, course.url.partition("/tree/")[2].partition("?")[0])
    done()
    page.evaluate(CLEAR)  # that what is seen next is not what came with the lesson
    expect(cell.locator(".jp-OutputArea-output")).to_have_count(0)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-OutputArea-output").wait_for()
    done()


def main() -> int:
    """Measure both openings, and print a table."""
    lesson = sys.argv[1] if sys.argv[1:] else "1"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium is not installed.")
    os.environ.setdefault("DOCKERLAB_ENGINE", "embedded")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        expose(home)
        runs = []
        for _ in range(2):
            with open_page(chromium) as page:
                runs.append(opening(home, lesson, page))
    print("| step | first start: s | in all | second start: s | in all |\n|---|--:|--:|--:|--:|")
    for number, step in enumerate(STEPS):
        cells = [
            f"{run[number] - (run[number - 1] if number else 0):.1f} | {run[number]:.1f}"
            for run in runs
        ]
        print(f"| {step} | {' | '.join(cells)} |")
    return 1 if max(run[-1] for run in runs) > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
