"""Docker Engines are found wherever they are, and what is wrong with them is said."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dockerlab import engine, i18n
from dockerlab.engine import docker, telling
from dockerlab.engine.docker import finding, places, problems
from dockerlab.engine.docker.address import Address
from dockerlab.engine.docker.asking import ask
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import UnknownEngine
from tests import relays
from tests.dockers import real

Need = Callable[[str], str]
NAMING = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


@pytest.fixture
def target() -> str:
    """The socket of the real engine, if there is one."""
    return relays.real_socket()


@pytest.fixture(autouse=True)
def alone(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No engine is named, and the learner's own folder is empty."""
    for name in (*NAMING, "DOCKERLAB_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "DOCKERLAB_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    engine.forget()
    telling._told.clear()
    yield
    engine.forget()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine of this machine is at a usual place."""
    if Path("/var/run/docker.sock").exists() or Path("/run/podman/podman.sock").exists():
        pytest.skip("this machine has an engine of its own at a usual place")


@pytest.fixture(scope="module")
def cli(need: Need) -> str:
    """The docker CLI, where an engine answers; looked for before `alone` hides that one."""
    return need("docker")


@pytest.fixture
def version(cli: str, target: str) -> str:
    """The real engine's version, as docker's CLI tells it."""
    asked = ("version", "--format", "{{.Server.Version}}")
    return real(cli, *asked, host=f"unix://{target}").out.strip()


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """The DOCKER_HOST of something that gives this HTTP answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.server_port}"
        server.shutdown()


def wrong(url: str) -> problems.Problem:
    """What is wrong with the engine there."""
    with pytest.raises(problems.Problem) as caught:
        ask(Address(url, "DOCKER_HOST"), 0.3)
    return caught.value


def test_the_engine_that_docker_host_names_is_found(
    version: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{target}")
    found = finding.find()
    assert found.address == Address(f"unix://{target}", "DOCKER_HOST")
    assert found.address.is_here and found.problems == ()
    assert str(found.version) == f"Docker Engine {version}"
    assert found.address.client().version()["Version"] == version


@pytest.mark.usefixtures("version", "nowhere")
@pytest.mark.parametrize(
    "place",
    [
        "xdg_runtime_dir/docker.sock",
        "home/.docker/run/docker.sock",
        "home/.docker/desktop/docker.sock",
        "home/.colima/default/docker.sock",
        "home/.rd/docker.sock",
        "home/.orbstack/run/docker.sock",
        "xdg_runtime_dir/podman/podman.sock",
    ],
)
def test_an_engine_at_a_usual_place_is_found(place: str, target: str, tmp_path: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    assert finding.find().address == Address(f"unix://{path}", "socket")


def context(cli: str, name: str, host: str) -> None:
    """A docker context of the learner's own, made by docker."""
    assert real(cli, "context", "create", name, "--docker", host).status == 0


def test_the_current_context_is_found_and_another_can_be_named(
    version: str, target: str, cli: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context(cli, "mine", f"host=unix://{target}")
    context(cli, "other", "host=tcp://127.0.0.1:1")
    assert real(cli, "context", "use", "mine").status == 0
    found = finding.find()
    assert found.address and found.address.context == "mine" and found.version
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    said = finding.find()
    assert said.address is None and "context other says tcp://127.0.0.1:1" in str(said.problems[0])
    monkeypatch.setenv("DOCKER_CONTEXT", "nobody")
    assert isinstance(finding.find().problems[0], problems.UnknownContext)
    assert places.known("nobody") is None and places.known("other") is not None
    monkeypatch.setenv("DOCKER_HOST", f"unix://{target}")  # goes before, as for docker
    assert finding.find().address


@pytest.mark.usefixtures("version", "nowhere")
@pytest.mark.parametrize("is_silent", [True, False])
def test_a_context_that_does_not_answer_holds_nothing_up_and_is_told(
    is_silent: bool, target: str, cli: str, tmp_path: Path
) -> None:
    there = tmp_path / "there.sock"
    context(cli, "mine", f"host=unix://{there}")
    assert real(cli, "context", "use", "mine").status == 0
    with relays.at(there), relays.at(tmp_path / "xdg_runtime_dir" / "docker.sock", target):
        if not is_silent:
            there.unlink()
        found = finding.find()
        assert found.address and found.address.origin == "socket"
        kind = problems.Silent if is_silent else problems.Absent
        assert [type(each) for each in found.problems] == [kind]
        assert engine.current().name == "docker"
        (said,) = telling.unheard()
        assert said.startswith("context mine says") and "xdg_runtime_dir" in said
        assert telling.unheard() == []


def test_each_thing_that_can_be_wrong_is_told(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    assert type(wrong(f"unix://{path}")) is problems.Absent
    with relays.at(path):
        assert type(wrong(f"unix://{path}")) is problems.Silent
    assert type(wrong(f"unix://{path}")) is problems.NotStarted
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused = wrong(f"tcp://127.0.0.1:{port}")
    assert type(refused) is problems.Unreachable and refused.detail == "Connection refused"
    with answering(200, "<html>") as url:
        assert type(wrong(url)) is problems.NotDocker
    with answering(404, "no such page") as url:
        assert wrong(url).detail == "HTTP 404: no such page"
    with answering(200, '{"Version": "1", "ApiVersion": "1.41"}') as url:
        assert type(wrong(url)) is problems.NotDocker


def test_engines_that_cannot_serve_the_lessons_are_refused() -> None:
    says = '{"Version": "27.1", "ApiVersion": "%s", "Os": "%s", "Arch": "amd64"}'
    with answering(200, says % ("1.46", "windows")) as url:
        assert "Switch to Linux containers" in str(wrong(url))
    with answering(200, says % ("1.22", "linux")) as url:
        assert "1.22" in str(wrong(url))


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Unix sockets and their rights")
def test_a_socket_without_permission_is_told_with_the_cure(tmp_path: Path) -> None:
    path = Path("/tmp") / f"dockerlab-{os.getpid()}.sock"
    with relays.at(path):
        path.chmod(0 if os.geteuid() else 0o600)
        with nobody():
            found = wrong(f"unix://{path}")
    path.unlink()
    assert type(found) is problems.NoPermission
    assert "usermod -aG docker" in str(found)


@contextmanager
def nobody() -> Iterator[None]:
    """Without the rights of root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:2375", "tcp://localhost:2375"),
        ("tcp://otherhost", "tcp://otherhost:2375"),
        ("tcp://[::1]:4444", "tcp://[::1]:4444"),
        ("ssh://me@otherhost", "ssh://me@otherhost"),
    ],
)
def test_docker_host_is_read_as_docker_reads_it(
    text: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", text)
    named = places.named()
    assert named and named.url == url
    assert named.is_here is ("otherhost" not in text)


@pytest.mark.parametrize("text", ["foo://x", "unix://", "://"])
def test_a_docker_host_that_is_no_address_is_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", text)
    (problem,) = finding.find().problems
    assert isinstance(problem, problems.BadAddress) and f"DOCKER_HOST says {text}" in str(problem)


def test_an_engine_behind_tls_is_found_with_its_certificates_only(
    version: str,
    target: str,
    cli: str,
    need: Need,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("openssl")
    files = tmp_path / "certificates"
    relay, port = relays.behind_tls(files, target)
    with relay:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://localhost:{port}")
        assert finding.find().address is None
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        assert isinstance(finding.find().problems[0], problems.Untrusted)
        monkeypatch.setenv("DOCKER_CERT_PATH", str(files))
        found = finding.find()
        assert found.address and found.address.client().version()["Version"] == version
        monkeypatch.delenv("DOCKER_HOST")
        host = f"host=tcp://localhost:{port}"
        names = "".join(f",{name}={files / name}.pem" for name in ("ca", "cert", "key"))
        context(cli, "secure", host + names)
        monkeypatch.setenv("DOCKER_CONTEXT", "secure")
        assert (found := finding.find()).address and found.address.tls


def test_the_variable_forces_an_engine(
    version: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{target}")
    assert engine.current().name == "docker" and engine.current() is engine.current()
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    assert isinstance(engine.current(), Embedded)
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    assert isinstance(engine.current(), docker.Docker)
    monkeypatch.setenv("DOCKERLAB_ENGINE", "podman")
    with pytest.raises(UnknownEngine, match="docker or embedded"):
        engine.current()


@pytest.mark.usefixtures("version")
def test_an_engine_that_starts_later_is_found_at_once_if_it_must_be(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "later.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    with pytest.raises(problems.NoDocker, match="There is nothing at"):
        engine.current()
    assert "none answers" in dict(telling.rows())["Engine"]
    with relays.at(path, target):
        assert engine.current().name == "docker"


def test_an_engine_that_starts_later_changes_nothing_until_the_kernel_is_new(
    version: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "later.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    assert engine.current().name == "embedded"
    (said,) = telling.unheard()
    assert "There is nothing at" in said and "the course's own engine" in said
    with relays.at(path, target):
        assert engine.current().name == "embedded"
        now = dict(telling.rows())["Docker"]
        assert now == f"Docker Engine {version} answers now. Restart the kernel to use it."
        engine.forget()
        assert engine.current().name == "docker"
    engine_row, docker_row = telling.rows()  # it has stopped since
    assert engine_row[1].startswith(f"Docker Engine {version} at unix://")
    assert "nobody answers" in docker_row[1]


@pytest.mark.usefixtures("nowhere")
def test_without_any_engine_nothing_is_wrong() -> None:
    assert finding.find() == finding.Found()
    assert engine.current().name == "embedded" and telling.unheard() == []


def test_a_machine_with_docker_is_told_what_it_has(
    version: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{target}")
    rows = dict(telling.rows())
    assert rows["Engine"] == f"Docker Engine {version} at unix://{target} (DOCKER_HOST)"
    assert rows["Docker Hub"].endswith("the real one")
    assert "DOCKERLAB_ENGINE=embedded" in rows["Docker"]
    i18n.choose("bn")
    assert "ডকার হাব" in dict(telling.rows())


def test_what_is_special_about_an_engine_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = '{"Version": "4.9", "ApiVersion": "1.41", "Os": "linux", "Arch": "s390x", "Components": '
    says += '[{"Name": "Podman Engine"}], "RegistryConfig": {"Mirrors": ["http://hub.lab/"]}}'
    monkeypatch.setenv("PATH", "")
    with answering(200, says) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        rows = dict(telling.rows())
    assert rows["Engine"].startswith(f"Podman 4.9 at {url}")
    assert rows["Docker Hub"] == "http://hub.lab/ first, then the real one"
    assert "made for s390x" in rows["Docker"]
    assert "The docker command is not installed here" in rows["Docker"]


@pytest.mark.parametrize("code", ["bn", "en"])
def test_every_problem_names_the_place_in_both_languages(code: str) -> None:
    i18n.choose(code)
    kinds = [kind for kind in vars(problems).values() if isinstance(kind, type)]
    made = [kind for kind in kinds if issubclass(kind, problems.Problem) and kind.__doc__]
    texts = [str(kind("DOCKER_HOST", "tcp://here:1", "1.2")) for kind in made]
    assert len(texts) == 12
    assert all("tcp://here:1" in text and "{" not in text for text in texts)
