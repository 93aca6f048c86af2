"""The checks of lessons that find a registry running, in each state that they have words for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benches import Bench, unseen
from servers import start_server

from dockerlab.course import beginning
from dockerlab.engine.credentials import Login
from dockerlab.engine.embedded import Embedded

LOOKING, PRIVATE = "01-what-is-a-registry", "03-public-and-private"
LOGIN = Login("rahima", "shapla-phool")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    made = Embedded(tmp_path / "home")
    yield made
    made.reset()


@pytest.fixture
def bench(engine: Embedded) -> Bench:
    """A bench at the registry that lesson 1 finds."""
    beginning.begin(LOOKING, engine)
    return Bench(engine, "localhost:5000")


@pytest.fixture
def private(engine: Embedded) -> Bench:
    """A bench at the registry that lesson 3 finds."""
    beginning.begin(PRIVATE, engine)
    return Bench(engine, "localhost:5001")


def test_count_repositories(bench: Bench) -> None:
    answers: list[tuple[Any, str]] = [
        ("3", "ok"),
        (3, "ok"),
        (" ৩ ", "ok"),
        ("", "empty"),
        (None, "empty"),
        ("three", "no-number"),
        ("-3", "no-number"),
        ("6", "tags"),
        (0, "wrong"),
        ("4", "wrong"),
    ]
    for answer, key in answers:
        assert bench.check("count-repositories", answer) == key, answer


def test_same_image(bench: Bench) -> None:
    answers: list[tuple[Any, str]] = [
        ("2.0", "ok"),
        (2.0, "ok"),
        ("my-image:2.0", "ok"),
        ("", "empty"),
        (None, "empty"),
        ("latest", "itself"),
        ("v2", "no-such"),
        ("no tag", "no-such"),
        ("1.0", "different"),
    ]
    for answer, key in answers:
        assert bench.check("same-image", answer) == key, answer


def test_run_from_registry(bench: Bench) -> None:
    assert bench.check("run-from-registry") == "not-here"
    bench.docker("run --rm @/my-image")
    assert bench.check("run-from-registry") == "other-tag"
    bench.docker("run --rm @/my-image:2.0")
    assert bench.check("run-from-registry") == "ok"
    bench.docker("tag @/my-image:2.0 keep")
    bench.docker("pull @/my-image:1.0")
    bench.docker("tag @/my-image:1.0 @/my-image:2.0")
    assert bench.check("run-from-registry") == "different"


def test_release(bench: Bench) -> None:
    bench.docker("pull @/hello-registry:1.0")
    assert bench.check("release") == "not-tagged"
    bench.docker("tag @/hello-registry:1.0 @/hello-registry:3.0")
    assert bench.check("release") == "not-pushed"
    bench.docker("push @/hello-registry:3.0")
    assert bench.check("release") == "old"
    bench.engine.images.add_sample("hello-registry", "hello-registry", 3)
    bench.docker("tag hello-registry @/hello-registry:3.0")
    bench.docker("push @/hello-registry:3.0")
    assert bench.check("release") == "ok"


def test_a_registry_that_was_removed(bench: Bench) -> None:
    bench.docker("rm -f -v registry")
    for name in ("count-repositories", "same-image", "run-from-registry", "release"):
        assert bench.check(name, "2") == "gone"


RIGHT = {"no basic auth credentials": "b", "401 Unauthorized": "c", "pull access denied": "a"}


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (RIGHT, "ok"),
        ({error: f" {letter.upper()} " for error, letter in RIGHT.items()}, "ok"),
        (dict.fromkeys(RIGHT, ""), "empty"),
        ({}, "empty"),
        ("b", "empty"),
        (None, "empty"),
        (RIGHT | {"401 Unauthorized": "a"}, "wrong"),
        ({"401 Unauthorized": "c"}, "wrong"),
    ],
)
def test_which_error(answer: Any, key: str, engine: Embedded) -> None:
    assert Bench(engine, "localhost:5001").check("which-error", answer) == key


@pytest.mark.parametrize(
    ("name", "host"), [("from-private", "localhost"), ("loopback", "127.0.0.1")]
)
def test_what_was_pulled(name: str, host: str, private: Bench) -> None:
    assert private.check(name) == "not-logged-in"
    private.engine.credentials.store(f"{host}:5001", LOGIN)
    assert private.check(name) == "not-pulled"
    private.docker(f"pull {host}:5001/apps/internal-app")
    assert private.check(name) == "ok"


def test_push_private(private: Bench) -> None:
    assert private.check("push-private") == "not-tagged"
    private.docker("tag my-image @/apps/my-image")
    assert private.check("push-private") == "not-pushed"
    private.engine.credentials.store(private.address, LOGIN)
    private.send("my-image")
    assert private.check("push-private") == "no-apps"
    private.docker("push @/apps/my-image")
    private.engine.credentials.erase(private.address)
    assert private.check("push-private") == "ok"  # whoever is logged in
    private.docker("rm -f -v private-registry")
    assert private.check("push-private") == "gone"


def test_another_registry_is_not_taken_for_the_private_one(private: Bench, tmp_path: Path) -> None:
    with start_server(tmp_path / "other") as server:
        bench = Bench(private.engine, server.address)
        bench.send("apps/my-image")
        assert bench.check("push-private") == "not-tagged"


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, LOOKING, PRIVATE) == set()
