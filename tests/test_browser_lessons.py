"""Every lesson in a real JupyterLab, from its first cell to its last, as a learner sees it."""

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dockerlab import workspace
from tests.pages import CLOSE, DO, PANEL, READY, START, Studio

LESSONS = [
    *(("bn", name) for name in workspace.lessons()),
    *(("en", name) for name in ("02-image-names", "06-another-host")),  # the code is the same
]
WHOLE = """() => {
  const notebook = jupyterapp.shell.currentWidget.content;
  notebook.notebookConfig = {...notebook.notebookConfig, windowingMode: 'none'};
}"""
CELLS = "() => [...jupyterapp.shell.currentWidget.content.model.cells].map(cell => cell.toJSON())"
SETTLED = """panel => {
  const root = document.querySelector(panel);
  const cells = jupyterapp.shell.currentWidget.content.model.cells.length;
  return root.querySelectorAll('.jp-Cell').length === cells
    && [...root.querySelectorAll('.jp-MarkdownCell')]
      .every(cell => cell.querySelector('.jp-RenderedMarkdown > *'))
    && !root.innerText.includes('Loading widget');
}"""
BROKEN = """panel => Promise.all([...document.querySelectorAll(`${panel} img`)].map(image =>
  image.decode().then(() => image.naturalWidth > 0 && image.alt, () => false)
    .then(good => good ? [] : [image.outerHTML.slice(0, 120)])
)).then(found => found.flat())"""
# JupyterLab lets long code and tables of prose be scrolled, each in its cell.
STICKS_OUT = """selector => [...document.querySelectorAll(selector)].flatMap(root => {
  const edge = Math.min(root.getBoundingClientRect().right, innerWidth) + 1;
  const prose = root.matches('.jp-RenderedMarkdown'), long = 'code, pre, table';
  const scrolls = box => /auto|scroll|hidden/.test(getComputedStyle(box).overflowX);
  return [...root.querySelectorAll('*')].filter(one => {
    if (one.closest('svg') && one.nodeName !== 'svg') return false;
    if (prose && (one.closest(long) || one.querySelector(long))) return false;
    for (let box = one.parentElement; box !== root; box = box.parentElement)
      if (scrolls(box)) return false;
    return one.getBoundingClientRect().right > edge;
  }).map(one => one.outerHTML.slice(0, 120));
})"""
IN_SIGHT = """css => {
  const place = document.querySelector(css).getBoundingClientRect();
  return place.top > 0 && place.bottom < innerHeight / 2;
}"""
OWN = [f"{PANEL} {css}" for css in (".jp-RenderedMarkdown", ".jp-OutputArea-output")]


class Lesson:
    """A lesson that is open and in front, with all its cells on the page."""

    def __init__(self, page: Page, path: str) -> None:
        self.page, self.path = page, path
        page.evaluate(START, ["docmanager:open", {"path": path}])
        page.evaluate(READY, path)
        page.evaluate(WHOLE)

    def run(self) -> list[dict[str, Any]]:
        """Run all cells, wait until everything is on the page; the code cells as they are then."""
        self.page.evaluate(DO, ["notebook:run-all-cells", {}])
        self.page.wait_for_function(SETTLED, arg=PANEL)
        cells: list[dict[str, Any]] = self.page.evaluate(CELLS)
        return [cell for cell in cells if cell["cell_type"] == "code"]

    def sticking_out(self) -> list[str]:
        """What is wider than its cell when the page is 320 pixels wide."""
        size = self.page.viewport_size
        assert size
        self.page.set_viewport_size({"width": 320, "height": 900})
        self.page.evaluate("jupyterapp.shell.collapseLeft()")
        try:
            found: list[str] = self.page.evaluate(STICKS_OUT, ", ".join(OWN))
            return found
        finally:
            self.page.set_viewport_size(size)

    def inaccessible(self) -> list[dict[str, Any]]:
        """Serious and critical violations, in the eyes of axe-core, in what is the lesson's own."""
        context = {"include": [[css] for css in OWN]}
        found = Axe().run(self.page, context=context).response["violations"]
        return [each for each in found if each["impact"] in ("serious", "critical")]

    def follow(self, path: str) -> None:
        """Click the link to another notebook, and wait until that is in front."""
        self.page.locator(f'{OWN[0]} a[href*="{path}"]').first.click()
        there = "path => jupyterapp.shell.currentWidget?.context?.path === path"
        self.page.wait_for_function(there, arg=path)


@pytest.fixture(params=LESSONS, ids="/".join)
def lesson(request: pytest.FixtureRequest, studio: Studio) -> Lesson:
    """Each lesson, with an empty lab."""
    studio.page.evaluate(CLOSE)
    studio.course.command("reset", "--yes")
    return Lesson(studio.page, f"{'/'.join(request.param)}.ipynb")


def test_a_lesson_from_its_first_cell_to_its_last(lesson: Lesson) -> None:
    cells = lesson.run()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        shown = json.dumps(cell["outputs"])
        assert "Error displaying widget" not in shown, cell["source"]
        if "raises-exception" not in cell["metadata"].get("tags", ()):
            assert "Traceback (most recent call last)" not in shown, cell["source"]
            assert '"output_type": "error"' not in shown, cell["source"]
    assert lesson.page.evaluate(BROKEN, PANEL) == []
    assert lesson.sticking_out() == []
    assert lesson.inaccessible() == []
    lang, name = lesson.path.split("/")
    lesson.follow(f"{'en' if lang == 'bn' else 'bn'}/{name}")


@pytest.mark.parametrize("lang", ["bn", "en"])
def test_a_word_leads_to_its_place_in_the_glossary(studio: Studio, lang: str) -> None:
    studio.page.evaluate(CLOSE)
    lesson = Lesson(studio.page, f"{lang}/05-tag-push-pull.ipynb")
    lesson.run()
    lesson.page.locator(f'{OWN[0]} a[href$="#manifest"]').click()
    heading = lesson.page.locator(f'{PANEL} [data-jupyter-id="manifest"]')
    heading.wait_for()
    lesson.page.wait_for_function(IN_SIGHT, arg='[data-jupyter-id="manifest"]')
