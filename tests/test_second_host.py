"""A second docker host: what it reaches, what it refuses, and what daemon.json changes."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from dockerlab.engine import current
from dockerlab.engine.daemon import FIRST, Daemon
from dockerlab.engine.second import forget, second
from dockerlab.engine.serving import serve
from dockerlab.errors import EngineError
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import push
from dockerlab.widgets.second import SecondHostView
from tests import engines
from tests.dockers import Docker
from tests.servers import start_server

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
    assert f"  {FIRST}:{port}\n  127.0.0.0/8" in first.good("--context", "host2", "info")
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
    daemon = Daemon(tmp_path, lambda port: False)
    daemon.configure({"insecure-registries": ["kept:5000"]})
    with pytest.raises(EngineError) as refused:
        daemon.configure(settings)  # type: ignore[arg-type]
    assert refused.value.text == REFUSED + reason
    assert daemon.settings() == {"insecure-registries": ["kept:5000"]}


def test_a_broken_daemon_json_is_named(first: Docker, port: str) -> None:
    second = first.engine.neighbour("host2")
    (second.path / "daemon.json").write_text('{"insecure-registries": [')
    assert first.bad("--context", "host2", "pull", f"{FIRST}:{port}/x").startswith(REFUSED)


@pytest.fixture
def on_docker(
    tmp_path: Path, need: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """What `%docker WORDS` does on the Docker Engine: exit status, and all that it writes."""
    need("docker")
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "learners"))

    def run(*words: str) -> tuple[int, str]:
        out = StringIO()
        return serve(words, out, out), out.getvalue()

    return run


def test_a_real_second_host_trusts_http_only_when_told(
    on_docker: Callable[..., tuple[int, str]],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if reason := engines.missing():
        pytest.skip(reason)
    with (
        engines.second_daemon(tmp_path_factory.mktemp("d")) as host2,
        start_server(tmp_path / "root", arguments=("--host", "0.0.0.0")) as server,
    ):
        with Registry(f"127.0.0.1:{server.port}") as registry:
            away = Layout(tmp_path / "away")
            name = Reference.parse(f"127.0.0.1:{server.port}/my-image")
            push(away, sample.build(away, "my-image"), registry, name)
        create = ("context", "create", "host2", "--docker", f"host={host2.host}")
        assert on_docker(*create)[0] == 0
        assert second(current()).own is not None
        wanted = f"{FIRST}:{server.port}/my-image"
        status, said = on_docker("--context", "host2", "pull", wanted)
        assert (status, PLAIN_HTTP in said) == (1, True), said
        host2.configure(insecure_registries=[f"{FIRST}:{server.port}"])
        status, said = on_docker("--context", "host2", "pull", wanted)
        assert (status, f"Downloaded newer image for {wanted}" in said) == (0, True), said
        assert repr(SecondHostView(second(current()), "docker").configure({})).startswith(
            "host2 is a machine of your own"
        )


def test_beside_docker_the_course_plays_the_second_host(
    on_docker: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    status, said = on_docker("--context", "host2", "ps")
    assert (status, 'context "host2": context not found' in said) == (1, True), said
    host = second(current())
    assert (host.own, host.first, host.engine.name) == (None, FIRST, "embedded")
    assert on_docker("--context", "host2", "ps", "-q") == (0, "")
    assert on_docker("--context=host2", "images", "-q") == (0, "")
    assert on_docker("-c", "host2", "ps", "-q") == (0, "")
    forget(current())
    assert on_docker("--context", "host2", "ps")[0] == 1
