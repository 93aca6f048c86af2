"""A check as it is shown: hints in steps, the solution, and looking again."""

import gc
import re
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import RunningServer, start_server

from dockerlab import i18n, lab
from dockerlab.course import checks, hints, progress
from dockerlab.course.checks import Outcome
from dockerlab.engine import commands
from dockerlab.engine.docker import Docker
from dockerlab.engine.docker.address import Address
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.second import second
from dockerlab.widgets.check import CheckView
from dockerlab.widgets.second import SecondHostView
from tests.test_widgets import Balanced

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402

pytestmark = pytest.mark.filterwarnings(  # the SDK forgets a socket
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
COURSE = ROOT / "dockerlab" / "course"
LESSONS = [yaml.safe_load(p.read_text("utf-8")) for p in (COURSE / "lessons").glob("*.yaml")]
HINTS = {name: entry for data in LESSONS for name, entry in data.get("checks", {}).items()}
HINTS["general"] = yaml.safe_load((COURSE / "checks.yaml").read_text("utf-8"))
FACTS = {"address": "localhost:5000", "name": "x", "text": "x"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def engine(home: Path) -> Embedded:
    made = Embedded(home)
    made.images.add_sample("my-image", "my-image")
    return made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "registry") as running:
        yield running


def settled(view: CheckView) -> None:
    """Wait until it has looked again."""
    end = time.monotonic() + 30
    while view.busy and time.monotonic() < end:
        time.sleep(0.01)
    assert not view.busy


def press(view: CheckView, name: str) -> None:
    view.handle(name, None)
    settled(view)


def docker(line: str, engine: Embedded) -> None:
    out = StringIO()
    assert commands.run(line.split(), engine, out, out) == 0, out.getvalue()


def test_every_check_has_a_solution_and_hints_for_all_that_can_be_seen() -> None:
    assert set(HINTS) - {"general"} == set(checks.names())
    for name, entry in HINTS.items():
        keys = set(entry["said"]) - {"ok"}
        for hint in entry["hints"]:
            assert set(hint.get("when", ())) <= keys, name
        for key in keys - {"trouble", "unknown"}:
            seen = Outcome("" if name == "general" else name, key, FACTS)
            found = hints.more(name, seen)
            assert name == "registry-runs" or found or key == "no-registry", (name, key)
            assert not any(re.search(r"\{\w+\}", text) for text in found)
            assert all(text.count("`") % 2 == 0 for text in found)
        assert hints.more(name, Outcome(name, "ok")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("??/*.ipynb")), ids=str)
def test_an_exercises_solution_is_the_one_of_its_check(path: Path) -> None:
    solution = ""
    for cell in notebooks.read(path)["cells"]:
        solution = cell["metadata"].get("dockerlab", {}).get("solution", solution)
        found = re.search(r'lab\.check\("([\w-]+)"', cell["source"])
        if found and cell["cell_type"] == "code" and solution:
            seen = Outcome(found[1], "nothing", FACTS)
            assert hints.solution(found[1], seen) == solution, found[1]
            solution = ""


def test_the_solutions_turn_the_checks_green_one_after_the_other(
    engine: Embedded, server: RunningServer
) -> None:
    """Those of two lessons, on a registry at another port, with what the lessons do in between."""
    other = second(engine)

    def solve(name: str) -> None:
        view = CheckView(name, engine, registry=server.address)
        assert not view.ok
        press(view, "reveal")
        names: dict[str, Any] = {"HOST": other.first, "host2": SecondHostView(other, engine.name)}
        for line in view.solution.splitlines():
            if line.startswith("%docker "):
                docker(line.removeprefix("%docker ").replace("$HOST", other.first), engine)
            else:
                exec(line, names)
        press(view, "again")
        assert view.ok, (name, view.text)

    for name in ("own-account", "own-registry", "tag"):
        solve(name)
    docker(f"rmi {server.address}/my-image", engine)
    solve("push")
    docker(f"rmi {server.address}/my-image", engine)
    for name in ("pull-back", "push-v1", "team"):
        solve(name)
    engine.images.add_sample("my-image", "my-image", 2)
    for name in ("second-version", "other-host", "other-host-v2", "from-host2"):
        solve(name)


@pytest.mark.parametrize("name", ["full-name", "where", "remote-name"])
def test_the_answers_are_right(name: str, engine: Embedded) -> None:
    view = CheckView(name, engine, "")
    assert not view.ok and not view.repeatable and "its cell" in view.html(live=True)
    press(view, "reveal")
    names: dict[str, Any] = {}
    exec(view.solution, names)
    assert CheckView(name, engine, names["answer"]).ok


def test_hints_come_one_by_one_then_the_solution_after_a_question(engine: Embedded) -> None:
    view = CheckView("own-account", engine)
    for count in (1, 2):
        assert view.more and 'data-do="hint"' in view.html(live=True)
        press(view, "hint")
        assert len(view.hints) == count
    html = view.html(live=True)
    assert not view.more and 'data-do="solve"' in html and "rahima/my-image" in html
    assert "%docker" not in html
    press(view, "hint")
    assert len(view.hints) == 2
    press(view, "solve")
    assert view.confirming and "%docker" not in view.html(live=True)
    press(view, "keep")
    assert not view.confirming
    press(view, "solve")
    press(view, "reveal")
    command = "%docker image tag my-image rahima/my-image"
    assert f'data-copy="{command}"' in view.html(live=True)
    docker(command.removeprefix("%docker "), engine)
    press(view, "again")
    html = view.html(live=True)
    assert view.ok and "<ol" not in html and command not in html and 'data-do="again"' in html
    Balanced(html)
    kept = progress.load().data["checks"]["own-account"]
    assert kept["tries"] == 5 and kept["passed"]


def test_what_it_shows_elsewhere_is_one_line_and_tells_no_more(engine: Embedded) -> None:
    view = CheckView("own-account", engine)
    before = view.html()
    press(view, "hint")
    press(view, "reveal")
    assert view.html() == before and Balanced(before).text == repr(view)
    assert repr(view).startswith("✘ my-image has no new name yet.")


def test_another_state_gets_another_first_hint(engine: Embedded) -> None:
    view = CheckView("own-account", engine)
    press(view, "hint")
    docker("tag my-image hers", engine)
    press(view, "hint")
    assert view.outcome.key == "library" and view.hints == []
    press(view, "hint")
    assert len(view.hints) == 1


def test_no_registry_has_hints_of_its_own_and_a_solution_that_starts_one(
    engine: Embedded,
) -> None:
    view = CheckView("push", engine, registry="127.0.0.1:1")
    assert view.outcome.key == "no-registry"
    press(view, "hint")
    assert "docker ps" in view.hints[0]
    press(view, "reveal")
    first, *rest = view.solution.splitlines()
    assert first == "%docker run -d -p 5000:5000 --name registry registry:2" and len(rest) == 2
    runs = CheckView("registry-runs", engine, registry="127.0.0.1:1")
    press(runs, "reveal")
    assert runs.solution == first


def test_an_engine_that_is_gone_is_said_kindly(tmp_path: Path) -> None:
    gone = Docker(Address(f"unix://{tmp_path}/docker.sock", "socket"))
    view = CheckView("own-account", gone)
    assert not view.ok and "This could not be checked." in view.text
    press(view, "again")
    assert "docker.sock" in view.text and view.trouble == ""
    gc.collect()


def test_a_lab_that_cannot_be_read_is_said_kindly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    view = CheckView("own-account", Embedded(tmp_path / "file" / "home"))
    assert not view.ok and "This could not be checked." in view.text


@pytest.mark.parametrize("name", ["pushh", "", 5, "<b>"])
def test_an_unknown_check_has_no_hints_and_is_not_kept(name: object, engine: Embedded) -> None:
    view = CheckView(name, engine)
    press(view, "hint")
    press(view, "reveal")
    assert view.hints == [] and view.solution == "" and "<b>" not in view.html(live=True)
    assert "<button" not in view.html(live=True)
    assert progress.load().data == {"version": 1}


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
@pytest.mark.parametrize("name", checks.names())
def test_all_is_there_in_both_languages(name: str, lang: str, engine: Embedded) -> None:
    i18n.choose(lang)
    view = CheckView(name, engine, registry="127.0.0.1:1")
    while view.more:
        press(view, "hint")
    for step in ("solve", "reveal"):
        Balanced(view.html(live=True))
        press(view, step)
    seen = Balanced(view.html(live=True))
    assert (
        view.solution
        and view.solution in seen.text
        and all(hint.replace("`", "") in seen.text for hint in view.hints)
    )


def test_lab_check_is_this_view() -> None:
    assert isinstance(lab.check("own-account"), CheckView)
