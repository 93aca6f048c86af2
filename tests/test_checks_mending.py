"""The checks of the notebook troubleshooting in each state that they have words for."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from benches import Bench, unseen

from dockerlab.engine.embedded import Embedded


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """my-image, and a registry in a container called registry."""
    engine = Embedded(tmp_path / "home")
    engine.images.add_sample("my-image", "my-image")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Bench(engine, f"localhost:{port}")
    run(made)
    yield made
    engine.reset()


def run(bench: Bench, *flags: str) -> None:
    port = bench.address.rpartition(":")[2]
    bench.docker(f"run -d -p {port}:5000 {' '.join(flags)} --name registry registry:2")


def test_a_registry_that_stopped(bench: Bench) -> None:
    assert bench.check("mended-registry") == "not-tagged"
    bench.docker("tag my-image @/my-image")
    assert bench.check("mended-registry") == "not-pushed"
    bench.docker("stop registry")
    assert bench.check("mended-registry") == "stopped"
    bench.docker("start registry")
    bench.docker("push @/my-image")
    assert bench.check("mended-registry") == "ok"
    bench.docker("rm -f registry")
    assert bench.check("mended-registry") == "no-registry"


def test_a_name_with_two_mistakes(bench: Bench) -> None:
    bench.send("hello")
    assert bench.check("mended-name") == "not-tagged"
    bench.docker("tag my-image @/team/hello")
    assert bench.check("mended-name") == "not-pushed"
    bench.docker("push @/team/hello")
    assert bench.check("mended-name") == "ok"


def test_a_registry_that_lets_nothing_be_deleted(bench: Bench) -> None:
    bench.send("my-image")
    assert bench.check("mended-delete") == "refused"
    bench.docker("rm -f registry")
    run(bench, "-e REGISTRY_STORAGE_DELETE_ENABLED=true")
    assert bench.check("mended-delete") == "empty"
    bench.docker("push @/my-image")
    assert bench.check("mended-delete") == "ok"
    assert bench.check("mended-delete") == "ok"  # looking deletes nothing


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "troubleshooting") == set()
