"""The course in a real browser: JupyterLab in Chromium, driven as a learner uses it."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from running import Course, open_course

from dockerlab import workspace

READY = """async path => {
  while (jupyterapp.shell.currentWidget?.context?.path !== path)
    await new Promise(done => setTimeout(done, 50));
  const panel = jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  return panel.context.model.dirty;
}"""
CODE_CELLS = """() => [...jupyterapp.shell.currentWidget.content.model.cells]
  .filter(cell => cell.type === 'code')
  .map(cell => ({...cell.toJSON(), trusted: cell.trusted}))"""
PICTURES = """() => Promise.all(
  [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedMarkdown img')]
  .map(image => image.decode().then(() => image.alt.length > 20, () => false)))"""
DO = """async ([command, options]) => {
  await jupyterapp.commands.execute(command, options);
}"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    folder = tmp_path_factory.mktemp("browser")
    config = folder / "home" / "jupyter" / "config"
    config.mkdir(parents=True)
    seen = {"LabApp": {"expose_app_in_browser": True}}
    (config / "jupyter_lab_config.json").write_text(json.dumps(seen), "utf-8")
    with open_course(folder / "home", "--port", "0", "--dir", str(folder / "mine")) as running:
        yield running


@pytest.fixture(scope="module")
def page(course: Course, need: Callable[[str], str]) -> Iterator[Page]:
    unboxed = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need("chromium"), args=unboxed)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(course.url)
        page.wait_for_selector(".jp-MarkdownViewer h1")
        yield page
        browser.close()


def photograph(page: Page, name: str) -> None:
    """A screenshot into DOCKERLAB_SCREENSHOTS, if that is set."""
    if folder := os.environ.get("DOCKERLAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def open_lesson(page: Page, lang: str, name: str) -> list[dict[str, Any]]:
    """Follow the start page's link; the code cells, as they are when the kernel is ready."""
    page.evaluate(DO, ["docmanager:open", {"path": "start.md"}])
    page.click(f'.jp-MarkdownViewer td a[href*="{lang}/{name}.ipynb"]')
    dirty = page.evaluate(READY, f"{lang}/{name}.ipynb")
    assert not dirty, "it opens as modified"
    cells: list[dict[str, Any]] = page.evaluate(CODE_CELLS)
    return cells


def test_the_start_page_is_shown_and_nothing_else(page: Page) -> None:
    photograph(page, "start")
    for lang in ("bn", "en"):
        for name in workspace.lessons():
            link = page.locator(f'.jp-MarkdownViewer td a[href*="{lang}/{name}.ipynb"]')
            assert link.count() == 1
    assert page.locator('.jp-MarkdownViewer h3 a[href*=".ipynb"]').count() == 2
    assert page.evaluate("[...jupyterapp.shell.widgets('main')].length") == 1


@pytest.mark.parametrize("lang", ["bn", "en"])
@pytest.mark.parametrize("name", ["00-start", "02-image-names"])
def test_a_lesson_opens_trusted_and_really_runs(
    page: Page, course: Course, lang: str, name: str
) -> None:
    course.command("reset", "--yes")
    committed = open_lesson(page, lang, name)
    assert all(cell["trusted"] for cell in committed)
    pictures = page.evaluate(PICTURES)
    assert pictures and all(pictures)
    photograph(page, f"{name}-{lang}")
    page.evaluate(DO, ["notebook:clear-all-cell-outputs", {}])
    assert not any(cell["outputs"] for cell in page.evaluate(CODE_CELLS))
    page.evaluate(DO, ["notebook:run-all-cells", {}])
    executed = page.evaluate(CODE_CELLS)
    assert [c["execution_count"] for c in executed] == list(range(1, len(executed) + 1))
    assert list(map(texts, executed)) == list(map(texts, committed))
    photograph(page, f"{name}-{lang}-run")


def texts(cell: dict[str, Any]) -> str:
    """All that a cell shows, as text."""
    shown = []
    for output in cell["outputs"]:
        shown.append(output.get("text") or output.get("data", {}).get("text/plain"))
    return "".join("".join(text) for text in shown)


def test_no_dialog_and_no_news_ever_came(page: Page) -> None:
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".Toastify__toast").count() == 0
    assert page.evaluate("jupyterapp.serviceManager.sessions.isReady")


def test_ctrl_c_ends_it_while_kernels_run(page: Page, course: Course) -> None:
    assert any("ipykernel_launcher" in process.cmdline() for process in course.processes())
    assert course.end(signal.SIGINT) == 0
    assert course.processes() == []
