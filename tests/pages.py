"""Notebooks in a real JupyterLab in a real Chromium: run code, see what it shows, touch it."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.running import Course, open_course

KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
}
READY = """async path => {
  while (jupyterapp.shell.currentWidget?.context?.path !== path)
    await new Promise(done => setTimeout(done, 50));
  const panel = jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""
ADD = """source => {
  const model = jupyterapp.shell.currentWidget.content.model.sharedModel;
  model.addCell({cell_type: 'code', source});
  jupyterapp.shell.currentWidget.content.activeCellIndex = model.cells.length - 1;
}"""
DO = """async ([command, options]) => { await jupyterapp.commands.execute(command, options); }"""
START = """async ([command, options]) => { jupyterapp.commands.execute(command, options); }"""
CLOSE = """async () => {
  const sessions = jupyterapp.serviceManager.sessions;
  await Promise.all([...sessions.running()].map(each => sessions.shutdown(each.id)));
  for (const one of [...jupyterapp.shell.widgets('main')]) one.dispose();
}"""
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
TOO_WIDE = """root => [root, ...root.querySelectorAll('*')].filter(one => {
  if (one.closest('svg') && one.nodeName !== 'svg') return false;
  const scrolls = box => /auto|scroll|hidden/.test(getComputedStyle(box).overflowX);
  for (let box = one.parentElement; box && root.contains(box); box = box.parentElement)
    if (scrolls(box)) return false;
  return one.getBoundingClientRect().right > root.getBoundingClientRect().right + 1;
}).map(one => one.outerHTML.slice(0, 120))"""


class Sheet:
    """One scratch notebook, open and in front."""

    def __init__(self, page: Page, course: Course, path: str) -> None:
        self.page, self.course, self.path = page, course, path

    def run(self, code: str, *, wait: bool = True) -> Locator:
        """Run `code` in a new cell at the end; the place where its output is.

        Without `wait` it may still run.
        """
        self.page.evaluate(ADD, code)
        self.page.evaluate(DO if wait else START, ["notebook:run-cell", {}])
        number = self.page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
        cell = self.page.locator(f'{PANEL} .jp-Cell[data-windowed-list-index="{number}"]')
        return cell.locator(".jp-OutputArea").first

    def text(self, code: str) -> str:
        """What `code` prints."""
        return self.run(code).inner_text()

    def restart(self) -> None:
        """Restart the kernel, as the menu does, and wait until it is there."""
        self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
        self.page.evaluate(READY, self.path)

    def reopen(self) -> None:
        """Close the notebook, end its kernel, and open it again, with a new one."""
        self.page.evaluate(CLOSE)
        self.page.evaluate(START, ["docmanager:open", {"path": self.path}])
        self.page.evaluate(READY, self.path)

    def saved(self) -> str:
        """The notebook as it is on the disk after saving."""
        self.page.evaluate(DO, ["docmanager:save", {}])
        return (self.course.mine / self.path).read_text("utf-8")

    def photograph(self, name: str, place: Locator) -> None:
        """Screenshots in light, dark and at 320 pixels, each looked at by axe; nothing sticks out.

        They are kept in the folder DOCKERLAB_SCREENSHOTS, if that is set.
        """
        for theme in ("Light", "Dark"):
            self.page.evaluate(DO, ["apputils:change-theme", {"theme": f"JupyterLab {theme}"}])
            chosen = f'body[data-jp-theme-name="JupyterLab {theme}"]'
            self.page.wait_for_selector(chosen, state="attached")
            self.accessible(place)
            self._keep(f"{name}-{theme.lower()}", place)
        self.page.evaluate(DO, ["apputils:change-theme", {"theme": "JupyterLab Light"}])
        with self.narrow():
            place.scroll_into_view_if_needed()
            assert place.evaluate(TOO_WIDE) == []
            self._keep(f"{name}-320", place)

    def accessible(self, place: Locator) -> None:
        """Nothing in `place` is a serious or critical violation in the eyes of axe-core."""
        place.evaluate("one => one.dataset.axe = ''")
        try:
            found = Axe().run(self.page, context="[data-axe]").response["violations"]
        finally:
            place.evaluate("one => delete one.dataset.axe")
        bad = [each for each in found if each["impact"] in ("serious", "critical")]
        assert bad == [], json.dumps(bad, indent=1)[:4000]

    @contextmanager
    def narrow(self) -> Iterator[None]:
        """The page 320 pixels wide, with nothing but the notebook on it."""
        size = self.page.viewport_size
        assert size
        self.page.set_viewport_size({"width": 320, "height": 900})
        self.page.evaluate("jupyterapp.shell.collapseLeft()")
        try:
            yield
        finally:
            self.page.set_viewport_size(size)

    def tab_to(self, wanted: str, limit: int = 60) -> None:
        """Press Tab until the focus is on what the CSS selector names."""
        for _ in range(limit):
            if self.page.evaluate("css => !!document.activeElement?.matches(css)", wanted):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not come to {wanted}")

    def _keep(self, name: str, place: Locator) -> None:
        if folder := os.environ.get("DOCKERLAB_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            place.screenshot(path=Path(folder) / f"{re.sub('[^a-z0-9.-]+', '-', name)}.png")


class Studio:
    """A JupyterLab that is open in a browser."""

    def __init__(self, page: Page, course: Course) -> None:
        self.page, self.course = page, course
        self._numbers = count(1)

    def sheet(self, lang: str) -> Sheet:
        """A new notebook in that language, on an empty lab, with dockerlab loaded."""
        self.page.evaluate(CLOSE)
        self.course.command("reset", "--yes")
        path = f"{lang}/scratch-{next(self._numbers)}.ipynb"
        empty = {"cells": [], "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
        (self.course.mine / path).write_text(json.dumps(empty), "utf-8")
        self.page.evaluate(START, ["docmanager:open", {"path": path}])
        self.page.evaluate(READY, path)
        sheet = Sheet(self.page, self.course, path)
        sheet.run("%load_ext dockerlab\nfrom dockerlab import lab")
        return sheet


@contextmanager
def open_page(chromium: str, **options: Any) -> Iterator[Page]:
    """An empty page in a Chromium of its own; `options` are those of a Playwright context."""
    unboxed = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=unboxed)
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(30_000)
        yield page
        browser.close()


def expose(home: Path) -> None:
    """Let scripts in the page reach the JupyterLab of the course in `home`, from its next start."""
    config = home / "jupyter" / "config"
    config.mkdir(parents=True)
    seen = {"LabApp": {"expose_app_in_browser": True}}
    (config / "jupyter_lab_config.json").write_text(json.dumps(seen), "utf-8")


@contextmanager
def open_studio(folder: Path, chromium: str, *arguments: str, **options: Any) -> Iterator[Studio]:
    """JupyterLab, started with more arguments, and Chromium, both gone afterwards."""
    expose(folder / "home")
    options = {
        "viewport": {"width": 1280, "height": 1000},
        "permissions": ["clipboard-read", "clipboard-write"],
        **options,
    }
    mine = folder / "mine"
    with (
        open_course(folder / "home", "--port", "0", "--dir", str(mine), *arguments) as course,
        open_page(chromium, **options) as page,
    ):
        expect.set_options(timeout=20_000)  # a machine may be busy
        page.goto(course.url)
        page.wait_for_function("globalThis.jupyterapp?.shell?.currentWidget")
        yield Studio(page, course)
        page.context.close()
        course.end(signal.SIGINT)


Need = Callable[[str], str]
Json = dict[str, Any]
