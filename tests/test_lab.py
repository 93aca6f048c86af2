"""The `lab` object: what a notebook asks for, and what it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab import Reference, i18n, lab
from dockerlab.course.beginning import UnknownLesson
from dockerlab.course.outline import lessons as outline
from dockerlab.errors import EngineError, NoPlatform

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lab of its own."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    yield tmp_path
    lab.reset()


def names() -> list[str]:
    return sorted(name.familiar for image in lab.engine.images.list() for name in image.names)


def test_the_lab_says_what_it_is_in_both_languages() -> None:
    assert repr(lab).splitlines() == [
        "Engine: the course's own (embedded), no Docker needed",
        "Docker Hub: Mini Hub, the course's small stand-in",
        "Language: English",
    ]
    assert "<th" in lab._repr_html_() and "Mini Hub" in lab._repr_html_()
    i18n.choose("bn")
    assert "ভাষা: বাংলা" in repr(lab) and 'lang="bn"' in lab._repr_html_()


def test_a_lesson_begins_with_its_image_and_nothing_else() -> None:
    assert repr(lab.begin("05-tag-push-pull")) == "Your lab is ready."
    lab.engine.images.tag("my-image", Reference.parse("localhost:5000/my-image"))
    lab.begin("02-image-names")
    assert names() == ["my-image:latest"]
    lab.begin("00-start")
    assert names() == []


def test_a_lesson_leaves_alone_what_is_not_the_lessons() -> None:
    images = lab.engine.images
    images.add_sample("nginx", "nginx")
    images.tag("nginx", Reference.parse("localhost:5000/nginx"))
    lab.begin("05-tag-push-pull")
    assert names() == ["my-image:latest", "nginx:latest"]
    assert images.files(images.find("nginx"), "greeting")


def test_every_lesson_that_there_is_can_begin() -> None:
    there = {path.stem for path in NOTEBOOKS.glob("*/*.ipynb")}
    assert there <= {lesson.name for lesson in outline()}
    for name in there:
        assert repr(lab.begin(name)) == "Your lab is ready."


@pytest.mark.parametrize(("name", "near"), [("05-tag-push", "05-tag-push-pull"), (5, "0")])
def test_an_unknown_lesson_names_a_near_one(name: object, near: str) -> None:
    with pytest.raises(UnknownLesson, match=near):
        lab.begin(name)  # type: ignore[arg-type]


def test_a_check_shows_a_sign_and_a_hint_that_fits() -> None:
    lab.begin("02-image-names")
    assert repr(lab.check("own-account")).startswith("✘ my-image has no new name yet.")
    lab.engine.images.tag("my-image", Reference.parse("rahima/my-image"))
    shown = lab.check("own-account")
    assert repr(shown) == "✔ Well done! rahima/my-image:latest is a name in the account rahima."
    assert "✔" in shown._repr_html_()
    assert repr(lab.check("own-acount")) == (
        "✘ There is no check called “own-acount”. Did you mean “own-account”?"
    )
    i18n.choose("bn")
    assert repr(lab.check("full-name", "nginx")).startswith("✘ nginx-এর নামটা মেলে না।")


def test_a_new_version_takes_the_name_and_another_id() -> None:
    lab.begin("05-tag-push-pull")
    first = lab.engine.images.find("my-image")
    assert repr(lab.image("my-image", version=2)) == "my-image is now version 2."
    second = lab.engine.images.find("my-image")
    assert first.id != second.id
    assert len(set(first.layers) & set(second.layers)) == len(first.layers) - 1
    i18n.choose("bn")
    assert repr(lab.image("my-image", version=3)) == "my-image এখন সংস্করণ ৩।"


def test_an_image_for_another_machine() -> None:
    lab.begin("05-tag-push-pull")
    ids = set()
    for platform in ("linux/amd64", "arm64"):
        lab.image("my-image", platform=platform)
        ids.add(lab.engine.images.find("my-image").id)
    assert len(ids) == 2
    with pytest.raises(NoPlatform, match="no matching manifest for linux/s390x"):
        lab.image("my-image", platform="linux/s390x")
    with pytest.raises(EngineError, match="invalid component"):
        lab.image("my-image", platform="linux/a b")


def test_reset_leaves_nothing() -> None:
    lab.begin("05-tag-push-pull")
    assert repr(lab.reset()).startswith("Your lab is empty again.\n")
    assert names() == [] and lab.engine.containers.list() == []


def test_a_registry_that_is_down_is_no_traceback() -> None:
    assert "Nobody answers at 127.0.0.1:1" in repr(lab.registry("127.0.0.1:1"))


def test_facts_that_are_names_keep_their_digits() -> None:
    lab.begin("02-image-names")
    i18n.choose("bn")
    assert "“12” নামে কোনো চেক নেই" in repr(lab.check("12"))
    assert Reference.parse("x:12").tag == "12"
