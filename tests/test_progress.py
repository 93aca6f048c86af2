"""What is kept of the learner's progress, against all that can happen to a file; and the map."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dockerlab import i18n, lab, workspace
from dockerlab.course import outline, progress, quizzes
from dockerlab.widgets.progress import ProgressView
from tests.test_widgets import Balanced

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import notebooks

LESSONS = [each for each in outline.lessons() if each.minutes]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab of its own, whose folder is not there yet."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def file(home: Path) -> Path:
    return home / "progress.json"


def test_what_was_done_is_kept_for_the_owner_alone(file: Path) -> None:
    assert progress.load().data == {"version": 1} and not file.parent.exists()
    assert progress.began("02-image-names") == ""
    assert progress.checked("full-name", False) == progress.checked("full-name", True) == ""
    first = progress.load().data["checks"]["full-name"]["passed"]
    assert progress.checked("full-name", False) == ""
    assert progress.answered("02-image-names", "parts", ["tag"], False) == ""
    kept = progress.load()
    assert kept.passed("full-name") and not kept.passed("where")
    assert kept.data["checks"]["full-name"] == {"tries": 3, "passed": first}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", first)
    assert kept.answers("02-image-names", "parts") == ["tag"] and kept.last == "02-image-names"
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.glob("*.json")] == ["progress.json"]
    assert progress.forget() == "" and progress.load().data == {"version": 1}


BROKEN = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"{",
    b"[" * 100_000,
    b"{}",
    b'{"version": 1, "checks": []}',
    b'{"version": 1, "last": 5}',
    b'{"version": 1, "checks": {"push": {"passed": "x"}}}',
    b'{"version": 1, "quizzes": {"a": 1}}',
    b'{"version": 1, "quizzes": {"a": {"b": {"tries": 1, "right": ""}}}}',
    b'{"version": 1, "quizzes": {"a": {"b": {"tries": 1, "right": "", "answers": [1]}}}}',
    b'{"version": "1"}',
    b'{"version": 0}',
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_damaged_file_is_set_aside_and_said(content: bytes, home: Path, file: Path) -> None:
    home.mkdir()
    file.write_bytes(content)
    said = progress.checked("push", True)
    aside = home / "progress-1.json"
    assert said == (
        f"Your progress file is damaged. It is set aside in {aside}, and a new one begins."
    )
    assert aside.read_bytes() == content and progress.load().passed("push")
    file.write_bytes(content)
    assert "progress-2.json" in progress.load().told and not file.exists()
    assert (home / "progress-2.json").read_bytes() == aside.read_bytes()


def test_the_file_of_a_newer_dockerlab_is_set_aside_too(home: Path, file: Path) -> None:
    home.mkdir()
    file.write_text('{"version": 2, "stars": 5}')
    view = lab.progress()
    assert "newer dockerlab" in view.html(live=True)
    assert (home / "progress-1.json").read_text() == '{"version": 2, "stars": 5}'


def test_what_this_version_does_not_know_stays(home: Path, file: Path) -> None:
    home.mkdir()
    file.write_text('{"version": 1, "stars": 5}')
    assert progress.checked("push", True) == ""
    assert json.loads(file.read_text())["stars"] == 5


def test_kernels_at_once_lose_nothing(home: Path) -> None:
    program = (
        "import sys; from dockerlab.course import progress\n"
        "for n in range(25): assert progress.checked(f'{sys.argv[1]}-{n}', True) == ''\n"
        "for n in range(25): assert progress.checked('both', True) == ''"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "abc"]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0, 0]
    kept = progress.load()
    assert all(kept.passed(f"{name}-{n}") for name in "abc" for n in range(25))
    assert kept.data["checks"]["both"]["tries"] == 75


def test_where_nothing_can_be_written_the_course_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "file" / "home"))
    said = progress.began("02-image-names")
    assert said.startswith(f"Your progress cannot be kept in {tmp_path / 'file' / 'home'}: ")
    assert lab.progress().stations
    quiz = lab.quiz("02-image-names")
    quiz.handle("choose exactly", "digest")
    quiz.handle("answer exactly", {})
    assert quiz.score == "1 of 3 right" and said in quiz.html(live=True).replace("&#39;", "'")
    check = lab.check("full-name", "docker.io/library/hello-world:latest")
    assert check.ok and said in check.html(live=True).replace("&#39;", "'")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="for root all is writable"
)
def test_a_folder_that_is_read_only_is_still_read(home: Path) -> None:
    progress.checked("push", True)
    home.chmod(0o500)
    try:
        kept = progress.load()
        assert kept.passed("push") and "cannot be kept" in progress.checked("tag", True)
    finally:
        home.chmod(0o700)


def test_reset_keeps_it() -> None:
    lab.begin("02-image-names")
    lab.check("own-account")
    lab.reset()
    assert progress.load().last == "02-image-names"


def test_beginning_a_lesson_is_kept_and_told_only_if_it_cannot_be() -> None:
    assert repr(lab.begin("02-image-names")) == "Your lab is ready."
    assert progress.load().last == "02-image-names"
    lab.check("tag")
    assert progress.load().last == "05-tag-push-pull"
    assert by_name(lab.progress())["05-tag-push-pull"] == "started"


def test_the_outline_is_that_of_the_notebooks() -> None:
    assert [each.name for each in outline.lessons()] == workspace.lessons()
    assert len(outline.lessons()) == 13
    for lesson in LESSONS:
        cells = notebooks.read(workspace.course() / "en" / f"{lesson.name}.ipynb")["cells"]
        text = "\n".join(cell["source"] for cell in cells)
        assert tuple(re.findall(r'lab\.check\("([\w-]+)"', text)) == _in(lesson.checks, text)
        assert f"**Time:** {lesson.minutes} minutes" in text
        tags = {tag for cell in cells for tag in cell["metadata"].get("tags", ())}
        assert {tag for tag in tags if notebooks.STEP.fullmatch(tag)} == set(lesson.steps)
        for lang in i18n.LANGUAGES:
            i18n.choose(lang)
            title = notebooks.read(workspace.course() / lang / f"{lesson.name}.ipynb")["cells"][0]
            assert lesson.title in title["source"] or lesson.name == "00-start"


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_the_start_page_tells_how_long_each_lesson_takes(lang: str) -> None:
    i18n.choose(lang)
    cells = notebooks.read(workspace.course() / lang / "00-start.ipynb")["cells"]
    page = "\n".join(cell["source"] for cell in cells)
    for lesson in LESSONS[1:]:
        row = next(line for line in page.splitlines() if f"({lesson.name}.ipynb) |" in line)
        assert re.search(rf"\b{i18n.digits(lesson.minutes)} (minutes|মিনিট)", row), row


def _in(checks: tuple[str, ...], text: str) -> tuple[str, ...]:
    return tuple(sorted(checks, key=lambda check: text.find(f'lab.check("{check}"')))


def test_every_step_of_the_course_has_its_lesson() -> None:
    steps = {step for lesson in outline.lessons() for step in lesson.steps}
    assert steps == {f"L{n}" for n in range(1, 16)} | {f"B{n}" for n in range(1, 9)}


def finish(name: str) -> None:
    """Do all that there is to do in a lesson."""
    lesson = next(each for each in outline.lessons() if each.name == name)
    progress.began(name)
    for check in lesson.checks:
        progress.checked(check, True)
    for question in quizzes.find(name).questions:
        progress.answered(name, question.id, question.right, True)


def by_name(view: ProgressView) -> dict[str, str]:
    return {station.name: station.status for station in view.stations}


def test_the_map_tells_what_is_done_begun_and_open() -> None:
    view = lab.progress()
    assert view.next and view.next.name == "00-start" and view.going_on == "Begin with"
    finish("00-start")
    progress.began("05-tag-push-pull")
    progress.checked("push", True)
    view.handle("look", None)
    there = by_name(view)
    assert there["00-start"] == "done" and there["05-tag-push-pull"] == "started"
    assert there["06-another-host"] == "open"
    assert view.title == f"Your way through the course: 1 of {len(LESSONS)} lessons done"
    assert view.next and view.next.name == "05-tag-push-pull" and view.going_on == "Go on with"
    lines = repr(view).splitlines()
    assert "✔ 0 · Start: done (3 of 3 questions · 5 minutes)" in lines
    assert "◐ 5 · Tag, push, pull: begun (1 of 6 checks · 0 of 3 questions · 25 minutes)" in lines
    finish("05-tag-push-pull")
    view.handle("look", None)
    assert view.next and view.next.name == "06-another-host"
    for lesson in LESSONS:
        if lesson.name != "02-image-names":
            finish(lesson.name)
    view.handle("look", None)
    assert view.next and view.next.name == "02-image-names"
    finish("02-image-names")
    view.handle("look", None)
    assert view.next is None and f"{len(LESSONS)} of {len(LESSONS)}" in view.title


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_the_map_leads_to_every_lesson(lang: str) -> None:
    i18n.choose(lang)
    finish("02-image-names")
    view = lab.progress()
    for live in (False, True):
        html = view.html(live)
        Balanced(html)
        links = re.findall('href="([^"]+)"', html)
        assert set(links) == {f"{name}.ipynb" for name in workspace.lessons()}
        assert ("<button" in html) == live
        assert not re.search(r"\d{4}-\d\d-\d\d", html)
    assert view.html() == lab.progress().html()


def test_it_is_forgotten_only_after_a_question() -> None:
    finish("02-image-names")
    view = lab.progress()
    view.handle("forget", None)
    assert view.confirming and progress.load().last
    view.handle("keep", None)
    assert not view.confirming and progress.load().last
    view.handle("forget", None)
    view.handle("really", None)
    assert not progress.load().last and by_name(view)["02-image-names"] == "open"
