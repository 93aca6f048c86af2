"""A real Docker Engine whose mirror is `dockerlab hub`: everything works without internet."""

import os
import sys
from collections.abc import Callable, Iterator

import pytest

from dockerlab.image import sample
from dockerlab.registry.client import Registry
from tests.containing import until
from tests.engines import FIRST, SECOND, Daemon, missing, second_daemon
from tests.servers import RunningServer


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A docker host that was given the one setting that the hub asks for, while it ran."""
    if reason := missing():
        if "docker" in os.environ.get("DOCKERLAB_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    command = [sys.executable, "-m", "dockerlab", "hub", "--host", "0.0.0.0", "--port", "0"]
    hub = RunningServer(command)
    mirror = f"http://{FIRST}:{hub.port}"
    try:
        folder = tmp_path_factory.mktemp("engine")
        with second_daemon(folder, bridge=True) as daemon:
            daemon.configure(registry_mirrors=[mirror])
            yield daemon
    finally:
        hub.stop()


@pytest.fixture
def registry(engine: Daemon, need: Callable[[str], str]) -> Iterator[Registry]:
    """The registry that `docker run … registry:2` started on the engine's host."""
    need("docker-registry")
    engine.good("run", "-d", "-p", "5000:5000", "--name", "registry", "registry:2")
    address = f"{SECOND}:5000"
    with Registry(address, insecure=[address]) as client:
        until(lambda: "listening on" in engine.docker("logs", "registry"))
        yield client
    engine.good("rm", "-f", "-v", "registry")


def test_push_and_pull(engine: Daemon, registry: Registry) -> None:
    engine.good("pull", "nginx")
    engine.good("tag", "nginx", "localhost:5000/nginx")
    engine.good("push", "localhost:5000/nginx")
    assert list(registry.tags("nginx")) == ["latest"]
    engine.good("rmi", "localhost:5000/nginx", "nginx")
    assert "Downloaded newer image" in engine.good("pull", "localhost:5000/nginx")


def test_inside_the_container(engine: Daemon, registry: Registry) -> None:
    assert "entrypoint.sh" in engine.good("exec", "registry", "ls", "/").split()
    assert "Usage:" in engine.good("exec", "registry", "registry", "garbage-collect", "--help")
    assert 'exec: "htpasswd": executable file not found' in engine.docker(
        "exec", "registry", "htpasswd", "-Bbn", "rahim", "secret"
    )


def test_settings_from_the_environment(engine: Daemon, need: Callable[[str], str]) -> None:
    need("docker-registry")
    setting = "REGISTRY_HTTP_ADDR=:5001"
    engine.good("run", "-d", "-p", "5001:5001", "-e", setting, "--name", "other", "registry:2")
    try:
        until(lambda: "listening on [::]:5001" in engine.docker("logs", "other"))
        with Registry(f"{SECOND}:5001", insecure=[SECOND]) as client:
            assert list(client.catalog()) == []
    finally:
        engine.good("rm", "-f", "-v", "other")


@pytest.mark.parametrize("name", ["hello-registry", "hello-world", "registry:3"])
def test_images_run(engine: Daemon, name: str) -> None:
    repository, _, tag = name.partition(":")
    version = sample.HUB[f"library/{repository}"][tag or "latest"]
    assert engine.good("run", "--rm", name) == sample.greeting(repository, version)


def test_what_it_has_not_docker_hub_is_asked_for(engine: Daemon) -> None:
    asked = 'Get "https://registry-1.docker.io/v2/"'
    assert asked in engine.docker("pull", "no-such-image")
