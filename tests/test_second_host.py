"""A second docker host: what it reaches, what it refuses, and what daemon.json changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab.engine.daemon import FIRST, Daemon
from dockerlab.errors import EngineError
from tests.dockers import Docker

PLAIN_HTTP = "http: server gave HTTP response to HTTPS client"
REFUSED = "unable to configure the Docker daemon with file /etc/docker/daemon.json: "


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Docker]:
    """The default host, and a context host2."""
    docker = Docker(tmp_path / "home")
    assert docker("context", "create", "host2").status == 0
    yield docker
    docker.engine.neighbour("host2").reset()
    docker.engine.reset()


@pytest.fixture
def port(first: Docker) -> str:
    """The port on which the first host's registry, with my-image in it, is published."""
    first.engine.images.add_sample("my-image", "my-image")
    assert first("run", "-d", "-p", "5000", "--name", "registry", "registry:2").status == 0
    port = first.good("port", "registry", "5000").strip().rpartition(":")[2]
    first.good("tag", "my-image", f"localhost:{port}/my-image")
    first.good("push", f"localhost:{port}/my-image")
    return port


def configure(docker: Docker, *registries: str) -> None:
    daemon = docker.engine.neighbour("host2").daemon
    daemon.configure({"insecure-registries": list(registries)})


def test_another_host_gets_the_image_only_once_it_trusts_http(first: Docker, port: str) -> None:
    name = f"{FIRST}:{port}/my-image"
    assert PLAIN_HTTP in first.bad("--context", "host2", "pull", name)
    configure(first, f"{FIRST}:1")
    assert PLAIN_HTTP in first.bad("--context", "host2", "pull", name)
    configure(first, f"{FIRST}:{port}")
    assert f"Downloaded newer image for {name}" in first.good("--context", "host2", "pull", name)
    there, here = (
        first.good(*host, "images", "-q", "--no-trunc", image)
        for host, image in ((("--context", "host2"), name), ((), "my-image"))
    )
    assert there == here
    assert "my-image" in first.good("--context", "host2", "run", "--rm", name)


@pytest.mark.parametrize("entry", ["192.168.56.0/24", FIRST, f"http://{FIRST}"])
def test_what_insecure_registries_may_say(first: Docker, port: str, entry: str) -> None:
    configure(first, entry)
    first.good("--context", "host2", "pull", f"{FIRST}:{port}/my-image")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_localhost_is_another_machine_there(first: Docker, port: str, name: str) -> None:
    said = first.bad("--context", "host2", "pull", f"{name}:{port}/my-image")
    assert f":{port}: connect: connection refused" in said
    first.good("pull", f"localhost:{port}/my-image")


def test_its_own_registry_is_its_localhost(first: Docker) -> None:
    second = Docker(first.engine.root, "host2")
    assert second("run", "-d", "-p", "5000", "--name", "registry", "registry:2").status == 0
    port = second.good("port", "registry", "5000").strip().rpartition(":")[2]
    second.engine.images.add_sample("my-image", f"localhost:{port}/my-image")
    second.good("push", f"localhost:{port}/my-image")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mirrors": []}, "the following directives don't match any configuration option: mirrors"),
        ({"insecure-registries": "x:5000"}, "insecure-registries: a list of HOST:PORT is wanted"),
        ({"insecure-registries": [5000]}, "insecure-registries: a list of HOST:PORT is wanted"),
        (
            {"insecure-registries": ["ftp://x"]},
            "insecure registry ftp://x should not contain '://'",
        ),
        (
            {"insecure-registries": ["a b"]},
            'insecure registry a b is not valid: invalid host "a b"',
        ),
        (
            {"insecure-registries": ["x/y"]},
            'insecure registry x/y is not valid: invalid host "x/y"',
        ),
        ([], "cannot unmarshal [] into an object"),
    ],
)
def test_settings_that_docker_refuses_change_nothing(
    tmp_path: Path, settings: object, reason: str
) -> None:
    daemon = Daemon(tmp_path)
    daemon.configure({"insecure-registries": ["kept:5000"]})
    with pytest.raises(EngineError) as refused:
        daemon.configure(settings)  # type: ignore[arg-type]
    assert refused.value.text == REFUSED + reason
    assert daemon.settings() == {"insecure-registries": ["kept:5000"]}


def test_a_broken_daemon_json_is_named(first: Docker, port: str) -> None:
    second = first.engine.neighbour("host2")
    (second.path / "daemon.json").write_text('{"insecure-registries": [')
    assert first.bad("--context", "host2", "pull", f"{FIRST}:{port}/x").startswith(REFUSED)
