"""Each check in each state that it has words for, against a real registry and a real engine."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from benches import COURSE, Bench, unseen
from servers import RunningServer, start_server

from dockerlab.course import checks, outline
from dockerlab.engine.embedded import Embedded
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import push


@pytest.fixture
def engine(tmp_path: Path) -> Embedded:
    made = Embedded(tmp_path / "home")
    made.images.add_sample("my-image", "my-image")
    return made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def bench(engine: Embedded, server: RunningServer) -> Bench:
    return Bench(engine, server.address)


@pytest.fixture
def alone(engine: Embedded) -> Iterator[Bench]:
    """A bench where nobody answers at the registry's address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Bench(engine, f"127.0.0.1:{taken.getsockname()[1]}")


FULL = "docker.io/library/hello-world:latest"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (FULL, "ok"),
        (f"  {FULL}\n", "ok"),
        (Reference.parse("hello-world"), "ok"),
        ("", "empty"),
        (None, "empty"),
        ("hello-world", "short"),
        ("docker.io/hello-world:latest", "short"),
        ("Hello-World", "invalid"),
        ("ghcr.io/library/hello-world:latest", "wrong-registry"),
        ("docker.io/hello-world/hello-world:latest", "wrong-namespace"),
        ("docker.io/library/nginx:latest", "wrong-name"),
        ("docker.io/library/hello-world:1", "wrong-tag"),
        (f"{FULL}@sha256:{'0' * 64}", "wrong-digest"),
    ],
)
def test_full_name(answer: Any, key: str, alone: Bench) -> None:
    assert alone.check("full-name", answer) == key


WHERE = {"nginx": "docker.io", "localhost:5000/x": "localhost:5000", "ghcr.io/owner/app": "ghcr.io"}


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (WHERE, "ok"),
        (WHERE | {"nginx": " docker.io/ "}, "ok"),
        (None, "empty"),
        ("docker.io", "empty"),
        (dict.fromkeys(WHERE, ""), "empty"),
        (WHERE | {"nginx": "nginx"}, "wrong-default"),
        (WHERE | {"nginx": ""}, "wrong-default"),
        (WHERE | {"localhost:5000/x": "localhost"}, "wrong-first"),
        (WHERE | {"My-Image": "docker.io"}, "trouble"),
        (WHERE | {1: 2}, "wrong-default"),
    ],
)
def test_where(answer: Any, key: str, alone: Bench) -> None:
    assert alone.check("where", answer) == key


@pytest.mark.parametrize(
    ("names", "key"),
    [
        ([], "nothing"),
        (["hers"], "library"),
        (["localhost:5000/my-image"], "registry"),
        (["rahima/my-image"], "ok"),
        (["hers", "docker.io/rahima/app:v1"], "ok"),
    ],
)
def test_own_account(names: list[str], key: str, alone: Bench) -> None:
    for name in names:
        alone.docker(f"tag my-image {name}")
    assert alone.check("own-account") == key


@pytest.mark.parametrize(
    ("names", "key"),
    [
        ([], "nothing"),
        (["rahima/my-image"], "nothing"),
        (["localhost/team/my-image:v1"], "wrong-registry"),
        (["localhost:5000/my-image:v1"], "wrong-namespace"),
        (["localhost:5000/team/image:v1"], "wrong-name"),
        (["localhost:5000/team/my-image"], "wrong-tag"),
        (["localhost:5000/my-image", "localhost:5000/team/my-image"], "wrong-tag"),
        (["localhost:5000/x", "localhost:5000/team/my-image:v1"], "ok"),
    ],
)
def test_own_registry(names: list[str], key: str, alone: Bench) -> None:
    for name in names:
        alone.docker(f"tag my-image {name}")
    assert alone.check("own-registry") == key


@pytest.mark.parametrize("name", ["registry-runs", "push", "push-v1", "pull-back", "team"])
def test_no_registry_at_all(name: str, alone: Bench) -> None:
    assert alone.check(name) == "no-registry"


def test_a_registry_on_another_port_is_found(engine: Embedded) -> None:
    bench = Bench(engine, "")
    bench.docker("run -d --name registry -p 0:5000 registry:2")
    try:
        port = engine.containers.find("registry").state.ports["5000/tcp"][0]["HostPort"]
        bench.address = f"localhost:{port}"
        bench.send("my-image")
        outcome = checks.run("push", engine)
        assert outcome.ok and outcome.facts["address"] == bench.address
    finally:
        bench.docker("rm -f -v registry")


def test_tag(bench: Bench) -> None:
    assert bench.check("tag") == "no-name"
    bench.docker("tag my-image @/my-image")
    assert bench.check("tag") == "ok"
    bench.renew()
    assert bench.check("tag") == "different"
    bench.docker("rmi my-image")
    assert bench.check("tag") == "no-image"


def test_push(bench: Bench) -> None:
    assert bench.check("push") == "not-tagged"
    bench.docker("tag my-image @/my-image")
    assert bench.check("push") == "not-pushed"
    bench.docker("push @/my-image")
    assert bench.check("push") == "ok"
    bench.renew()
    bench.docker("tag my-image @/my-image")
    assert bench.check("push") == "different"
    bench.docker("rmi @/my-image")
    assert bench.check("push") == "not-here"


def test_pull_back(bench: Bench) -> None:
    assert bench.check("pull-back") == "not-there"
    bench.send("my-image")
    bench.docker("rmi @/my-image")
    bench.docker("rmi my-image")
    assert bench.check("pull-back") == "not-here"
    bench.docker("pull @/my-image")
    assert bench.check("pull-back") == "ok"
    bench.engine.images.add_sample("my-image", "other", 2)
    bench.docker("tag other @/my-image")
    assert bench.check("pull-back") == "different"


def test_push_v1(bench: Bench) -> None:
    assert bench.check("push-v1") == "not-tagged"
    bench.docker("tag my-image @/my-image:v1")
    assert bench.check("push-v1") == "not-pushed"
    bench.docker("push @/my-image:v1")
    assert bench.check("push-v1") == "no-latest"
    bench.send("my-image")
    assert bench.check("push-v1") == "ok"
    bench.renew()
    bench.send("my-image:v1")
    assert bench.check("push-v1") == "different"


def test_team(bench: Bench) -> None:
    bench.send("my-image")
    assert bench.check("team") == "not-tagged"
    bench.send("my-image:1.0")
    assert bench.check("team") == "no-team"
    with Registry(bench.address) as registry:
        registry.delete("my-image", "1.0")
    bench.docker("tag my-image @/team/my-image:1.0")
    assert bench.check("team") == "not-pushed"
    bench.send("team/my-image:2.0")
    assert bench.check("team") == "wrong-tag"
    bench.docker("push @/team/my-image:1.0")
    assert bench.check("team") == "ok"
    bench.renew()
    bench.send("team/my-image:1.0")
    assert bench.check("team") == "different"


def test_second_version(bench: Bench) -> None:
    assert bench.check("second-version") == "not-tagged"
    bench.docker("tag my-image @/my-image:v2")
    assert bench.check("second-version") == "not-pushed"
    bench.docker("push @/my-image:v2")
    assert bench.check("second-version") == "no-latest"
    bench.send("my-image")
    assert bench.check("second-version") == "same"
    bench.renew()
    bench.send("my-image:v2")
    outcome = checks.run("second-version", bench.engine, registry=bench.address)
    assert bench.check("second-version") == "ok"
    assert outcome.facts["shared"] == int(outcome.facts["layers"]) - 1


def test_what_another_tool_pushed_counts_as_well(bench: Bench, tmp_path: Path) -> None:
    """A pushed index of several platforms is not what this machine has."""
    layout = Layout(tmp_path / "layout")
    bench.send("my-image")
    with Registry(bench.address) as registry:
        index = sample.build(layout, "my-image")
        push(layout, index, registry, Reference.parse(f"{bench.address}/my-image"))
    assert bench.check("push") == "different"


@pytest.mark.parametrize(
    ("name", "near"),
    [("pushh", "push"), *((other, checks.names()[0]) for other in ("", 5, ["x"]))],
)
def test_an_unknown_check_names_a_near_one(name: Any, near: str, alone: Bench) -> None:
    assert alone.check(name) == "unknown"
    assert checks.run(name, alone.engine).facts["near"] == near


def test_every_check_has_texts_and_every_text_a_check() -> None:
    written = [check for lesson in outline.lessons() for check in lesson.checks]
    assert sorted(written) == checks.names()
    for path in sorted((COURSE / "lessons").glob("*.yaml")):
        data = yaml.safe_load(path.read_text("utf-8"))
        assert set(data) <= {"checks", "quiz"}
        lesson = next(each for each in outline.lessons() if each.name == path.stem)
        assert set(data.get("checks", ())) == set(lesson.checks)


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "general", "02-image-names", "05-tag-push-pull") == set()
