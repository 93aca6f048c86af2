"""The capstone as a whole: how it begins and goes on, its overview, and the page at its end."""

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from teams import Team

from dockerlab import i18n, lab
from dockerlab.course import capstone, outline, progress
from dockerlab.course.checks import team
from dockerlab.engine.home import home
from dockerlab.errors import CannotWrite, NotOurs
from dockerlab.widgets.capstone import CapstoneView
from dockerlab.widgets.diploma import FILE, LONGEST, DiplomaView
from tests.test_check_view import settled
from tests.test_widgets import Balanced

ROOT = Path(__file__).parent.parent
LESSON = capstone.LESSON
NAMES = {
    "bn": "রাহিমা খাতুন",
    "en": "Ada Lovelace",
    "ar": "فاطمة بنت محمد",
    "html": '<b>Bobby</b> & "Tables"',
    "joined": "শ্রেয়া\u200c র‍্যাব",  # whose joiners are part of the spelling
    "longest": "W" * LONGEST,
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the notebook, and a lab of its own."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "work"
    lab.reset()


def pass_all(when: str = "2026-02-14T06:00:00+00:00") -> None:
    """All steps were green once."""
    for check in capstone.titles():
        progress.checked(check, True)
    kept = json.loads((home() / "progress.json").read_text("utf-8"))
    for entry in kept["checks"].values():
        entry["passed"] = "2026-01-01T12:00:00+00:00"
    kept["checks"]["team-clean"]["passed"] = when
    (home() / "progress.json").write_text(json.dumps(kept), "utf-8")


def test_its_steps_are_its_checks_and_the_lesson_tells_the_passwords() -> None:
    lesson = next(each for each in outline.lessons() if each.name == LESSON)
    assert tuple(capstone.titles()) == lesson.checks
    text = (ROOT / "notebooks" / "en" / f"{LESSON}.ipynb").read_text("utf-8")
    told = json.dumps("MINA, RAFI = " + ", ".join(f'"{each}"' for each in team.USERS.values()))
    assert told in text


def test_beginning_again_goes_on_where_she_was() -> None:
    assert repr(lab.begin(LESSON)) == "Your lab is ready."
    bench = Team()
    bench.everything()
    said = repr(lab.begin(LESSON))
    assert "as you left it" in said and 'lab.begin("09-capstone", anew=True)' in said
    assert all(step.ok for step in lab.capstone().steps)
    assert repr(lab.begin(LESSON, anew=True)).startswith("Your lab is at the start of this lesson")
    assert lab.engine.containers.list() == [] and lab.engine.volumes.list() == []
    assert lab.engine.credentials.registries == []
    assert not any(step.ok for step in lab.capstone().steps)
    assert all(step.once for step in lab.capstone().steps)


def test_another_lesson_only_stops_it() -> None:
    bench = Team()
    bench.everything()
    bench.docker("run -d --name registry -p 0:5000 -v other:/var/lib/registry registry:2")
    assert repr(lab.begin("05-tag-push-pull")) == "Your lab is ready."
    kept = {one.name: one.running for one in lab.engine.containers.list()}
    assert kept == {"team-registry": False}
    assert "team-data" in [one.name for one in lab.engine.volumes.list()]
    bench.docker("run -d --name registry -p 0:5000 registry:2")
    assert "as you left it" in repr(lab.begin(LESSON))
    assert [one.name for one in lab.engine.containers.list()] == ["team-registry"]
    bench.docker("start team-registry")
    assert {"team-up", "team-filled", "team-restarted"} <= {
        step.check for step in lab.capstone().steps if step.ok
    }
    lab.reset()
    assert repr(lab.begin(LESSON)) == "Your lab is ready."


def test_a_volume_alone_is_reason_enough_to_go_on() -> None:
    Team().docker("volume create team-data")
    assert "as you left it" in repr(lab.begin(LESSON))


def test_a_container_of_her_own_by_that_name_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Team()
    bench.docker("create --name team-registry registry:2")
    monkeypatch.setattr(type(lab.engine), "owns", lambda _self, _labels: False)
    with pytest.raises(NotOurs, match="team-registry"):
        lab.begin(LESSON)
    assert [one.name for one in lab.engine.containers.list()] == ["team-registry"]


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_the_overview_tells_each_step_and_looks_again(lang: str) -> None:
    i18n.choose(lang)
    bench = Team()
    view = lab.capstone()
    lines = repr(view).splitlines()
    assert len(lines) == 6 and all(line.startswith("✘ ") for line in lines[1:])
    assert i18n.digits(0) in view.title and "team-registry" in lines[1]
    for live in (False, True):
        html = view.html(live)
        Balanced(html)
        assert ("<button" in html) == live
        assert all(title in html for title in capstone.titles().values())
    assert view.html() == lab.capstone().html()
    bench.up()
    view.handle("again", None)
    settled(view)  # type: ignore[arg-type]
    assert [step.ok for step in view.steps] == [True, False, False, False, False]
    assert progress.load().passed("team-up") and not progress.load().passed("team-filled")
    assert view.onward == ""


def test_what_was_green_once_is_said_and_counts() -> None:
    pass_all()
    view = CapstoneView(lab.engine)
    assert view.title == "The team's registry: 0 of 5 steps"
    assert {step.status for step in view.steps} == {"was done once"}
    assert "lab.diploma" in view.onward and view.onward in repr(view)
    Balanced(view.html(True))


def test_the_page_waits_for_what_is_missing() -> None:
    progress.checked("team-up", True)
    view = lab.diploma("Rahima")
    assert not view.written and not Path(FILE).exists()
    assert repr(view).splitlines()[1:] == [
        f"○ {title}" for check, title in capstone.titles().items() if check != "team-up"
    ]
    Balanced(view._repr_html_())
    assert "20" not in repr(view)  # no date, nothing that changes


def test_what_is_green_now_counts_where_no_progress_can_be_kept() -> None:
    Team().everything()
    (home() / "progress.json").unlink(missing_ok=True)
    (home() / "progress.json").mkdir()
    view = lab.diploma("Rahima")
    assert view.written and "Rahima" in Path(FILE).read_text("utf-8")


class Words(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.elements = "", set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_the_page_bears_her_name_the_day_and_what_was_achieved(lang: str, name: str) -> None:
    i18n.choose(lang)
    pass_all()
    view = lab.diploma(f"  {name}\n")
    assert view.written and repr(view).endswith(f"\n{FILE}") and name in repr(view)
    page = Path(FILE).read_text("utf-8")
    Balanced(re.sub(r"<(meta|!DOCTYPE)[^>]*>|<style>[^<]*</style>", "", page))
    words = Words(page)
    assert name in words.text
    assert ("১৪ ফেব্রুয়ারি ২০২৬" if lang == "bn" else "14 February 2026") in words.text
    assert all(title in words.text for title in capstone.titles().values())
    assert f'<html lang="{lang}">' in page
    assert not {"script", "img", "link", "b", "iframe"} & words.elements
    assert not re.search(r"https?:|url\(|@import| on\w+=", page)
    Balanced(view._repr_html_())
    assert f'href="{FILE}"' in view._repr_html_()


@pytest.mark.parametrize("name", ["", "  ", None, "\u200b\u200d", "\x00\x1b", "\ud800"])
def test_without_a_name_it_asks_for_one(name: object) -> None:
    pass_all()
    view = lab.diploma(name)  # type: ignore[arg-type]
    assert not view.written and "write your name" in repr(view) and not Path(FILE).exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [("A\x00d\x1ba", "Ada"), ("Ada\ud800", "Ada"), (7, "7"), ("\u202eadA", "adA")],
)
def test_what_no_page_can_show_is_left_out(name: object, shown: str) -> None:
    pass_all()
    assert lab.diploma(name).written  # type: ignore[arg-type]
    assert shown in Path(FILE).read_text("utf-8")


def test_a_name_of_500_letters_is_told_how_much_room_there_is() -> None:
    pass_all()
    assert repr(lab.diploma("ক" * 500)) == (
        "The page has room for a name of 200 letters; this one has 500."
    )
    i18n.choose("bn")
    assert "৫০০টা" in repr(lab.diploma("ক" * 500)) and not Path(FILE).exists()


def test_a_new_page_takes_the_place_of_the_old_one() -> None:
    pass_all()
    lab.diploma("Mina")
    lab.diploma("Rafi")
    assert "Mina" not in Path(FILE).read_text("utf-8")
    assert [path.name for path in Path().iterdir()] == [FILE]


def test_a_folder_that_cannot_be_written_is_said(here: Path) -> None:
    pass_all()
    (here / FILE).mkdir()
    with pytest.raises(CannotWrite, match=FILE):
        lab.diploma("Rahima")
    (here / FILE).rmdir()
    here.rmdir()  # the notebook's folder is gone
    with pytest.raises(CannotWrite, match=FILE):
        lab.diploma("Rahima")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_for_reading_only_is_said(here: Path) -> None:
    pass_all()
    here.chmod(0o500)
    with pytest.raises(CannotWrite, match=FILE):
        lab.diploma("Rahima")


def test_the_page_is_none_of_gits_business() -> None:
    assert f"notebooks/*/{FILE}" in (ROOT / ".gitignore").read_text("utf-8").split()


def test_the_day_is_the_day_of_the_last_step_and_never_missing() -> None:
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d", capstone.finished())
    pass_all("some day")
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d", capstone.finished())
    pass_all("2026-12-31T12:00:00+00:00")
    assert capstone.finished() == "31 December 2026"
    assert DiplomaView("x", lab.engine).page().count("31 December 2026") == 1
