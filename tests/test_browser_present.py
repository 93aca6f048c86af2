"""A lesson in front of a class: on a projector with the speaker's notes, and as slides."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dockerlab.presenting.plan import plan
from tests.pages import READY, TOO_WIDE
from tests.running import Course, open_course

LESSON = "05-tag-push-pull"
PROJECTOR = {"width": 1024, "height": 768}
SIZES = ((1024, 768), (1920, 1080))
PANELS = ("#jp-top-panel", ".jp-SideBar", ".jp-FileBrowser", ".jp-Launcher", "#jp-main-statusbar")
CELLS = """() => [...jupyterapp.shell.currentWidget.content.model.sharedModel.cells]
  .map(cell => cell.toJSON())"""
RUIN = """() => {
  const { content, sessionContext } = jupyterapp.shell.currentWidget;
  const model = content.model.sharedModel;
  model.cells[3].setSource('1/0');
  model.deleteCell(7);
  model.insertCell(2, {cell_type: 'code', source: 'raise SystemExit'});
  void sessionContext.session.kernel.requestExecute({code: 'while True: pass'});
}"""
PLACES = """() => ['.jp-NotebookPanel', '.jp-Terminal'].map(css => {
  const { left, top, right, bottom } = document.querySelector(css).getBoundingClientRect();
  return [left, top, right, bottom];
})"""
IN_SIGHT = """() => {
  const { activeCell, outerNode } = jupyterapp.shell.currentWidget.content;
  const [cell, pane] = [activeCell.node, outerNode].map(one => one.getBoundingClientRect());
  return cell.top < pane.bottom - 20 && cell.bottom > pane.top + 20;
}"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('.jp-Notebook pre, .jp-Notebook p')]
  .map(one => parseFloat(getComputedStyle(one).fontSize)))"""


class Class:
    """A presentation that is open in two windows."""

    def __init__(self, course: Course, browser: Browser) -> None:
        lab, notes = re.findall(r"http://\S+", course.said)
        context = browser.new_context(viewport=PROJECTOR)
        context.set_default_timeout(30_000)
        self.course = course
        self.lab = context.new_page()
        self.lab.goto(lab)
        self.lab.wait_for_selector(".jp-Terminal")
        self.notes = context.new_page()
        self.notes.goto(notes)
        expect(self.notes.locator("#away")).to_be_hidden(timeout=30_000)
        self.lab.evaluate(READY, f"en/{LESSON}.ipynb")

    @property
    def step(self) -> int:
        """The number of the step that the notes are at, from 1."""
        return int(self.notes.inner_text("#place").split()[1])

    def press(self, key: str, window: Page, until: Callable[[], bool]) -> None:
        """Press it, again if need be: some presses only scroll."""
        window.bring_to_front()
        for _ in range(10):
            window.keyboard.press(key)
            deadline = time.monotonic() + 2.5
            while time.monotonic() < deadline:
                if until():
                    return
                window.wait_for_timeout(50)
        raise AssertionError(f"{key} has no effect at step {self.step}")

    def go_to(self, identity: str) -> None:
        """Press the key for the next step, now in one window, now in the other."""
        steps = [step.id for step in plan(LESSON, "en").steps]
        for number in range(self.step, steps.index(identity) + 1):
            window = (self.lab, self.notes)[number % 2]
            self.press("PageDown", window, lambda number=number: self.step == number + 1)
            assert self.lab.evaluate(IN_SIGHT)

    def wait(self, done: Callable[[dict[str, Any]], bool], identity: str) -> dict[str, Any]:
        """The cell, once that is true of it."""
        for _ in range(300):
            cells = {cell["id"]: cell for cell in self.lab.evaluate(CELLS)}
            if identity in cells and done(cells[identity]):
                cell: dict[str, Any] = cells[identity]
                return cell
            self.lab.wait_for_timeout(100)
        raise AssertionError(cells.get(identity))


@pytest.fixture(scope="module")
def browser(need: Callable[[str], str]) -> Iterator[Browser]:
    """A Chromium, gone afterwards."""
    unboxed = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need("chromium"), args=unboxed)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def klass(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Class]:
    """A presentation whose folder holds an older one."""
    folder = tmp_path_factory.mktemp("present")
    configuration = folder / "home" / "present" / "config"
    configuration.mkdir(parents=True)
    seen = "c.LabApp.expose_app_in_browser = True"
    (configuration / "jupyter_lab_config.py").write_text(seen, "utf-8")
    own = folder / "mine" / "present" / "en" / f"{LESSON}.ipynb"
    own.parent.mkdir(parents=True)
    own.write_text("what was there the last time", "utf-8")
    options = ["--no-browser", "--lang", "en", "--port", "0", "--dir", str(folder / "mine")]
    with open_course(folder / "home", "present", "5", *options) as course:
        yield Class(course, browser)


def sources(klass: Class) -> dict[str, str]:
    """The source of each cell by its id, as it is in the window."""
    return {cell["id"]: cell["source"] for cell in klass.lab.evaluate(CELLS)}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_lesson_and_terminal_have_the_page_to_themselves(
    klass: Class, size: tuple[int, int]
) -> None:
    klass.lab.bring_to_front()
    klass.lab.set_viewport_size({"width": size[0], "height": size[1]})
    klass.lab.wait_for_timeout(500)
    lesson, terminal = klass.lab.evaluate(PLACES)
    for left, top, right, bottom in (lesson, terminal):
        assert 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
    beside = lesson[2] <= terminal[0]
    assert beside if size[0] >= 1400 else lesson[3] <= terminal[1]
    room = sum((right - left) * (bottom - top) for left, top, right, bottom in (lesson, terminal))
    assert room > 0.85 * size[0] * size[1]
    assert klass.lab.locator(".jp-Notebook").evaluate(TOO_WIDE) == []
    assert klass.lab.evaluate(SMALLEST) >= 16
    for away in PANELS:
        assert klass.lab.locator(away).locator("visible=true").count() == 0
    _keep(klass.lab, f"present-{size[0]}")
    klass.lab.set_viewport_size(PROJECTOR)


def test_it_runs_apart_from_what_the_speaker_has_as_a_learner(klass: Class) -> None:
    kept = klass.course.mine / "present" / "en" / f"{LESSON}.last.ipynb"
    assert kept.read_text() == "what was there the last time"
    assert not (klass.course.home / "jupyter").exists()
    assert {cell.get("execution_count") for cell in klass.lab.evaluate(CELLS)} == {None}
    for page in (klass.notes.url, klass.notes.url.replace("present", "present/steps")):
        with urllib.request.urlopen(page.partition("?")[0]) as answer:
            assert "/login?" in answer.url  # only who has the token sees them


def test_a_second_one_at_once_is_refused(klass: Class) -> None:
    command = [sys.executable, "-m", "dockerlab", "present", "5", "--no-browser"]
    surroundings = os.environ | {"DOCKERLAB_HOME": str(klass.course.home)}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 1
    assert "A presentation is open already" in done.stderr


def test_one_key_goes_on_and_the_notes_follow(klass: Class) -> None:
    klass.go_to("images")
    steps = plan(LESSON, "en").steps
    for key in ("setup", "run", "push-denied", "tag"):
        klass.wait(lambda cell: bool(cell["execution_count"]), key)
    ran = [cell for cell in klass.lab.evaluate(CELLS) if cell.get("execution_count")]
    assert [cell["id"] for cell in ran] == ["setup", "run", "push-denied", "tag"]
    assert [cell["execution_count"] for cell in ran] == [1, 2, 3, 4]
    assert klass.notes.inner_text("#title") == steps[klass.step - 1].title
    assert klass.notes.inner_text("#following") == steps[klass.step].title
    assert "of 25 min" in klass.notes.inner_text("#clock")
    shown = re.sub(r"\W+", "", klass.notes.inner_text("#note"))
    assert shown.startswith(re.sub(r"\W+", "", steps[klass.step - 1].note)[:20] or "There")
    assert _violations(klass.notes) == []
    _keep(klass.notes, "present-notes")
    klass.press("PageUp", klass.lab, lambda: klass.step == steps.index(_step("tag-guess")) + 1)
    klass.press("PageDown", klass.notes, lambda: klass.step == steps.index(_step("images")) + 1)


def test_one_key_brings_everything_back(klass: Class) -> None:
    klass.course.command("docker", "rm", "-f", "registry")
    klass.lab.evaluate(RUIN)
    step = klass.step
    klass.lab.bring_to_front()
    klass.lab.locator(".jp-Terminal").click()
    klass.lab.keyboard.press("F9")
    said = klass.notes.locator("#log li").last
    expect(said).to_have_text(re.compile(r"^Done in [\d.]+ seconds"), timeout=40_000)
    assert klass.step == step
    course = {each.id: each.text for each in plan(LESSON, "en").steps[:step]}
    assert course.items() <= sources(klass).items()
    assert "raise SystemExit" in sources(klass).values()  # what the speaker added is her own
    assert "registry" in klass.course.command("docker", "ps", "--format", "{{.Names}}")
    assert klass.lab.locator(".jp-Terminal").count() == 1
    klass.press("PageDown", klass.lab, lambda: klass.step == step + 1)
    shown = klass.wait(lambda cell: bool(cell["outputs"]), "images")
    assert "localhost:5000/my-image" in str(shown["outputs"])


def test_a_key_types_the_solution_of_an_exercise(klass: Class) -> None:
    at = [cell["id"] for cell in klass.lab.evaluate(CELLS)].index("ex1-answer")
    klass.lab.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {at}")
    solution = _step("ex1-answer").solution
    expect(klass.notes.locator("#solution")).to_have_text(solution)
    klass.press("F8", klass.notes, lambda: sources(klass)["ex1-answer"] == solution)


def test_the_notes_come_back_after_they_were_closed(klass: Class) -> None:
    step = klass.step
    klass.notes.close()
    with klass.lab.context.expect_page() as opened:
        klass.lab.bring_to_front()
        klass.lab.keyboard.press("F2")
    klass.notes = opened.value
    expect(klass.notes.locator("#place")).to_have_text(re.compile(f"^Step {step} "))
    assert "/dockerlab/present" in klass.notes.url


def test_a_reload_keeps_the_place_and_the_clock(klass: Class) -> None:
    step, clock = klass.step, klass.notes.inner_text("#clock")
    klass.lab.evaluate("jupyterapp.commands.execute('docmanager:save')")
    klass.lab.reload()
    klass.lab.wait_for_function("globalThis.jupyterapp?.shell.currentWidget?.content.activeCell")
    klass.press("PageUp", klass.notes, lambda: klass.step == step - 1)
    assert klass.lab.locator(".jp-Terminal").count() == 1
    assert klass.notes.inner_text("#clock") > clock > "0:00"


@pytest.mark.parametrize(("lang", "scheme"), [("bn", "dark"), ("en", "light")])
def test_slides_need_nothing_but_a_browser(
    lang: str, scheme: Literal["light", "dark"], tmp_path: Path, browser: Browser
) -> None:
    path = tmp_path / "slides.html"
    command = [sys.executable, "-m", "dockerlab", "slides", "5", "--lang", lang, "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    page = browser.new_page(viewport=PROJECTOR, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    count = page.locator(".slide").count()
    seen = [_number(page)]
    for _ in range(10 * count):
        page.keyboard.press("PageDown")
        if (number := _number(page)) == count:
            break
        if number != seen[-1]:
            seen.append(number)
            assert page.locator(".here").evaluate(TOO_WIDE) == []
    assert seen == list(range(1, count)) and number == count > 15
    images = page.locator("img").evaluate_all("all => all.map(one => one.alt)")
    assert images and all(images)
    page.keyboard.press("s")
    assert _violations(page) == []
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", printed)) == count
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.set_viewport_size({"width": 320, "height": 640})
    for key in ("Home", "End"):
        page.keyboard.press(key)
        assert page.locator(".here").evaluate(TOO_WIDE) == []
    _keep(page, f"slides-{lang}-{scheme}-320")
    page.close()


@pytest.mark.parametrize("command", ["present", "slides"])
def test_an_unknown_lesson_writes_nothing(command: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "dockerlab", command, "tag-psh"]
    surroundings = os.environ | {"DOCKERLAB_HOME": str(tmp_path / "home")}
    done = subprocess.run(words, env=surroundings, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "05-tag-push-pull" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def _step(identity: str) -> Any:
    return next(step for step in plan(LESSON, "en").steps if step.id == identity)


def _number(page: Page) -> int:
    return int(page.inner_text("#number").split(" / ")[0])  # in Bangla digits, too


def _violations(page: Page) -> list[Any]:
    return list(Axe().run(page).response["violations"])


def _keep(page: Page, name: str) -> None:
    if folder := os.environ.get("DOCKERLAB_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")
