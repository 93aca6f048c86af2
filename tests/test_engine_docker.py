"""The lab on a real Docker Engine, beside what the learner has there herself."""

from __future__ import annotations

import ctypes
import gc
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from servers import start_server

from dockerlab.course import beginning, checks, moving
from dockerlab.course.prepared import NoImage, PortTaken
from dockerlab.course.requests import meaning
from dockerlab.engine import commands
from dockerlab.engine.credentials import Login
from dockerlab.engine.docker import Docker
from dockerlab.engine.docker.address import Address
from dockerlab.engine.docker.images import sample_tar
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.past import NothingKept
from dockerlab.errors import (
    EngineError,
    NoPlatform,
    NoRegistry,
    NotOurs,
    Unavailable,
    Unreachable,
)
from dockerlab.image import sample
from dockerlab.image.manifest import Platform
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.widgets import requests
from tests.containing import free_port, until
from tests.dockers import Result
from tests.engines import Daemon, daemon, network

LESSON, PRIVATE = "05-tag-push-pull", "03-public-and-private"
SHOWN = {
    "container ls -a": "{{.ID}} {{.Names}} {{.State}}",
    "volume ls": "{{.Name}}",
    "network ls": "{{.ID}} {{.Name}}",
    "image ls -a": "{{.ID}} {{.Repository}}:{{.Tag}}",
}
_SCRIPT = "trap 'exit 7' TERM; echo on; while sleep 0.1; do true; done"
SLEEP = ("--network", "none", "shell", "sh", "-c", _SCRIPT)
REGISTRY = (  # as docker's own image of it says
    *("--change", "VOLUME /var/lib/registry"),
    *("--change", 'ENTRYPOINT ["docker-registry", "serve", "/config.yml"]'),
)
ROOT = Path(__file__).parent.parent
_RELAY = """\
import sys, time
from tests import relays
relay = relays.at(relays.Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
time.sleep(60)
"""

# The SDK forgets a socket that could not connect.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


class Lab:
    """A Docker Engine, seen by the lab (`lab.engine`, `lab("ps")`) and by the learner (`hers`)."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.engine = Docker(Address(daemon.host, "test"))
        self.hers = daemon.good

    def __call__(self, line: str) -> Result:
        """A docker command line over the SDK."""
        out, err = io.StringIO(), io.StringIO()
        status = commands.run(line.split(), self.engine, out, err)
        return Result(out.getvalue(), err.getvalue(), status)

    def good(self, line: str) -> str:
        """Standard output of a command that must succeed."""
        result = self(line)
        assert (result.status, result.err) == (0, ""), result
        return result.out

    def everything(self) -> list[set[str]]:
        """All that there is of each kind, as the learner sees it."""
        return [
            set(self.hers(*kind.split(), "--format", shown).splitlines())
            for kind, shown in SHOWN.items()
        ]


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]
) -> Iterator[Daemon]:
    """An engine of our own, on which the learner has an image with a shell.

    Its network is ours for as long: localhost is the same for both.
    """
    need("dockerd")
    folder = tmp_path_factory.mktemp("lab")
    with network() as name, daemon(folder, namespace=name, bridge=True) as engine:
        with tarfile.open(folder / "shell.tar", "w") as tar:
            tar.add(need("busybox"), "bin/sh")
        engine.good("import", str(folder / "shell.tar"), "shell")
        with inside(Path("/var/run/netns", name)):
            yield engine
    gc.collect()


def registry_tar(binary: str, folder: Path) -> Path:
    """The files of an image of the real registry: its program, and what that loads."""
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    config = folder / "config.yml"
    config.write_text("{version: 0.1, storage: {filesystem: {}}}", encoding="utf-8")
    with tarfile.open(folder / "registry.tar", "w", dereference=True) as tar:
        for path in (binary, *re.findall(r"/\S+", linked)):
            tar.add(path)
        tar.add(config, "config.yml")
    return folder / "registry.tar"


@contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """While this lasts, this thread and all that it starts are in that network."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as ours, namespace.open() as other:
        assert libc.setns(other.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(ours.fileno(), 0) == 0


@pytest.fixture
def lab(running: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "lab"))
    made = Lab(running)
    yield made
    for container in running.good("ps", "-aq").split():
        running.good("rm", "-f", "-v", container)
    for image in running.good("images", "--filter", "reference=registry:2", "-q").split():
        running.good("rmi", image)
    made.engine.reset()
    made.engine.client.close()


def test_a_sample_is_the_embedded_engines_and_greets(lab: Lab, tmp_path: Path) -> None:
    for version in (1, 2):
        ours = Embedded(tmp_path / "home").images.add_sample("my-image", "my-image", version)
        assert lab.engine.images.add_sample("my-image", "my-image", version).id == ours.id
        assert lab.good("run --rm my-image") == sample.greeting("my-image", version)
    labelled = "--filter label=dockerlab.sample --format {{.Repository}}"
    assert lab.good(f"images {labelled}").split() == ["my-image", "<none>"]
    assert lab.good("ps -aq") == ""


def test_a_sample_is_for_the_engines_architecture() -> None:
    name = Reference.parse("my-image")
    with (
        sample_tar("my-image", name, 1, Platform("linux", "arm64")) as tar,
        tarfile.open(fileobj=tar) as archive,
    ):
        line = json.load(archive.extractfile("manifest.json") or io.BytesIO())[0]
        config = json.load(archive.extractfile(line["Config"]) or io.BytesIO())
    assert config["architecture"] == "arm64"
    with pytest.raises(NoPlatform), sample_tar("my-image", name, 1, Platform("windows", "amd64")):
        pass


def test_a_lesson_begins_anew_and_leaves_hers_alone(lab: Lab) -> None:
    lab.hers("tag", "shell", "localhost:5000/shell")
    lab.hers("run", "-d", "--name", "web", *SLEEP)
    before = lab.everything()
    for _ in range(2):
        beginning.begin(LESSON, lab.engine)
        lab.good("tag my-image localhost:5000/team/my-image:v1")
        lab.good("create --name registry my-image")
    beginning.begin("00-start", lab.engine)
    assert lab.everything() == before
    lab.hers("rmi", "localhost:5000/shell")


@pytest.mark.parametrize("state", ["created", "running"])
def test_a_container_of_hers_called_registry_stays(lab: Lab, state: str) -> None:
    verb = ["run", "-d"] if state == "running" else ["create"]
    lab.hers(*verb, "--name", "registry", *SLEEP)
    before = lab.everything()
    beginning.begin("00-start", lab.engine)
    with pytest.raises(NotOurs, match="docker rename registry my-registry"):
        beginning.begin(LESSON, lab.engine)
    assert lab.engine.images.find("my-image")  # all else is ready
    lab.engine.reset()
    assert lab.everything() == before


def test_a_container_of_hers_on_port_5000_stays(lab: Lab) -> None:
    publish = ["-p", "127.0.0.1:5000:80"]
    lab.hers("run", "-d", *publish, "--name", "web", *SLEEP[2:])
    before = lab.everything()
    with pytest.raises(beginning.PortHeld, match="docker stop web"):
        beginning.begin(LESSON, lab.engine)
    assert checks.State(lab.engine).registry == checks.REGISTRY
    lab.engine.reset()
    assert lab.everything() == before
    lab.hers("stop", "-t", "0", "web")
    beginning.begin(LESSON, lab.engine)


def test_an_image_of_hers_called_my_image_stays(lab: Lab) -> None:
    lab.hers("tag", "shell", "my-image")
    before = lab.everything()
    with pytest.raises(NotOurs, match="docker image tag my-image:latest"):
        beginning.begin(LESSON, lab.engine)
    with pytest.raises(NotOurs):
        lab.engine.images.add_sample("my-image", "my-image", 2)
    assert lab.everything() == before
    lab.hers("rmi", "my-image")


def test_reset_takes_what_the_lab_made_and_nothing_else(lab: Lab) -> None:
    lab.hers("volume", "create", "precious")
    lab.hers("create", "--name", "web", "-v", "precious:/data", "shell", "sh")
    before = lab.everything()
    lab.engine.images.add_sample("my-image", "my-image")
    lab.good("tag my-image rahima/my-image")
    lab.good("volume create data")
    lab.good("create --name made -v precious:/data -v named:/named -v /anonymous shell sh")
    lab.hers("network", "create", "--label", "dockerlab.lab=1", "net")
    assert all(now > then for now, then in zip(lab.everything(), before, strict=True))
    lab.engine.reset()
    assert lab.everything() == before
    lab.hers("rm", "web")
    lab.hers("volume", "rm", "precious")


def test_her_own_container_of_a_course_image_stays(lab: Lab) -> None:
    lab.engine.images.add_sample("my-image", "my-image")
    lab.hers("create", "--name", "registry", "my-image")
    with pytest.raises(NotOurs, match="docker rename registry"):
        beginning.begin(LESSON, lab.engine)
    lab.engine.reset()
    assert lab.hers("ps", "-a", "--format", "{{.Names}}") == "registry\n"
    lab.hers("rm", "registry")


def test_what_cannot_go_is_told_of_when_the_rest_is_gone(lab: Lab) -> None:
    lab.good("volume create data")
    lab.hers("create", "--name", "web", "-v", "data:/data", "shell", "sh")
    lab.engine.images.add_sample("my-image", "my-image")
    with pytest.raises(EngineError, match="volume is in use"):
        lab.engine.reset()
    assert lab.good("images -q my-image") == ""
    lab.hers("rm", "web")


def test_all_of_the_lab_stops_and_nothing_else(lab: Lab) -> None:
    lab.hers("run", "-d", "--name", "web", *SLEEP)
    line = ["run", "-d", "--name", "made", *SLEEP]
    assert commands.run(line, lab.engine, io.StringIO(), io.StringIO()) == 0
    lab.engine.stop_all()
    assert lab.hers("ps", "--format", "{{.Names}}") == "web\n"


def test_checks_look_at_the_engine_and_at_the_registry(lab: Lab, tmp_path: Path) -> None:
    def see(name: str) -> str:
        return checks.run(name, lab.engine, registry=address).key

    beginning.begin("02-image-names", lab.engine)
    with start_server(tmp_path / "registry") as server:
        address = f"localhost:{server.port}"
        assert see("tag") == "no-name"
        lab.good(f"tag my-image {address}/my-image")
        assert see("tag") == "ok"
        assert see("push") == "not-pushed"
        lab.good(f"push {address}/my-image")
        assert see("push") == "ok"
        lab.engine.images.add_sample("my-image", "my-image", 2)
        lab.good(f"tag my-image {address}/my-image")
        assert see("push") == see("pull-back") == see("tag").replace("ok", "different")
        lab.good(f"pull -q {address}/my-image")
        assert see("pull-back") == "ok"
        assert see("tag") == "different"


def test_what_a_real_registry_was_asked(
    lab: Lab, tmp_path: Path, need: Callable[[str], str]
) -> None:
    port = str(free_port())
    with pytest.raises(NoRegistry):
        requests.look(lab.engine)
    lab.hers(
        "import", *REGISTRY, str(registry_tar(need("docker-registry"), tmp_path)), "registry:2"
    )
    settings = ("-e", f"REGISTRY_HTTP_ADDR=127.0.0.1:{port}", "--network", "host")
    lab.hers("run", "-d", "--name", "mine", *settings, "registry:2")
    until(lambda: "listening on" in lab("logs mine").err)
    lab.engine.images.add_sample("my-image", f"localhost:{port}/my-image")
    lab.good(f"push localhost:{port}/my-image")
    shown = requests.look(lab.engine, "mine")
    assert (shown.name, repr(requests.look(lab.engine))) == ("mine", repr(shown))
    kinds = [meaning(event).kind for event in shown.events]
    assert kinds[0] == "ping" and kinds[-1] == "manifest-put"
    assert kinds.count("upload-start") == kinds.count("upload-finish") == 4  # layers and config
    assert all(event.milliseconds for event in shown.events)


def test_a_lesson_finds_a_private_registry(
    lab: Lab, tmp_path: Path, need: Callable[[str], str]
) -> None:
    with pytest.raises(NoImage, match="docker pull registry:2"):
        beginning.begin(PRIVATE, lab.engine)
    lab.engine.reset()
    listen = ("--change", "ENV REGISTRY_HTTP_ADDR=:5000")
    tar = registry_tar(need("docker-registry"), tmp_path)
    lab.hers("import", *REGISTRY, *listen, str(tar), "registry:2")
    lab.hers("create", "--name", "web", "-p", "5001:80", *SLEEP[2:])
    before = lab.everything()
    for _ in range(2):
        beginning.begin(PRIVATE, lab.engine)
        assert "no basic auth" in lab("pull localhost:5001/apps/internal-app").err
        lab.engine.credentials.store("localhost:5001", Login("rahima", "shapla-phool"))
        shown = lab("run --rm localhost:5001/apps/internal-app")
        assert sample.greeting("internal-app") in shown.out
    lab.engine.reset()
    assert lab.everything() == before
    lab.hers("start", "web")
    with pytest.raises(PortTaken, match="docker stop web"):
        beginning.begin(PRIVATE, lab.engine)


def test_what_the_sdk_swallows_is_raised(lab: Lab) -> None:
    lab.engine.images.add_sample("my-image", "localhost:1/my-image")
    name, said = Reference.parse("localhost:1/my-image"), list[str]()
    with pytest.raises(EngineError, match="connection refused"):
        lab.engine.push(name, said.append)
    assert said == ["The push refers to repository [localhost:1/my-image]"]
    with pytest.raises(EngineError, match="connection refused"):
        lab.engine.pull(name, said.append)


def test_her_own_docker_settings_are_neither_used_nor_changed(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "home" / ".docker"
    own.mkdir(parents=True)
    settings = own / "config.json"
    settings.write_text('{"credsStore": "nosuch", "auths": {"localhost:1": {}}}')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG")
    lab.engine.images.add_sample("my-image", "my-image")
    with start_server(tmp_path / "registry") as server:
        lab.good(f"tag my-image localhost:{server.port}/my-image")
        lab.good(f"push localhost:{server.port}/my-image")
    assert settings.read_text().startswith('{"credsStore": "nosuch"')
    assert [path.name for path in own.rglob("*")] == ["config.json"]


def test_ctrl_c_ends_a_container_that_runs_on(lab: Lab) -> None:
    def interrupt() -> None:
        until(lambda: bool(lab.hers("ps", "-q")))
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    out, err = io.StringIO(), io.StringIO()
    assert commands.run(["run", *SLEEP], lab.engine, out, err) == 7
    assert out.getvalue() == "on\n"
    assert "running" not in lab.hers("ps", "-a", "--format", "{{.State}}")


def test_both_streams_go_where_they_belong(lab: Lab) -> None:
    words = ["sh", "-c", "echo one; echo two >&2; exit 3"]
    out, err = io.StringIO(), io.StringIO()
    line = ["run", "--network", "none", "--name", "both", "shell", *words]
    assert commands.run(line, lab.engine, out, err) == 3
    assert (out.getvalue(), err.getvalue()) == ("one\n", "two\n")
    assert lab("logs both") == Result("one\n", "two\n", 0)
    assert lab("logs -n 0 both") == Result("", "", 0)
    assert lab("start -a both") == Result("one\n", "two\n", 3)


def test_without_a_cli_what_is_missing_is_named(lab: Lab) -> None:
    said = lab("exec web ls")
    assert said.status == 1
    assert said.err.startswith("“docker exec” needs docker's own command line")
    assert lab("run --stop-signal 9 shell").err.startswith("“docker run --stop-signal” needs")


def test_an_image_for_another_platform_is_not_run_as_if_it_were(lab: Lab) -> None:
    lab.engine.images.add_sample("my-image", "my-image")
    said = lab("run --rm --platform linux/arm64 my-image")
    assert said.status == 125
    assert "does not match the specified platform: wanted linux/arm64" in said.err


def test_the_course_works_where_there_is_no_cli(lab: Lab) -> None:
    lab.engine.images.add_sample("my-image", "my-image")
    env = os.environ | {"DOCKER_HOST": lab.daemon.host, "DOCKERLAB_ENGINE": "docker", "PATH": ""}
    command = [sys.executable, "-m", "dockerlab", "docker", "run", "--rm", "my-image"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8")
    assert (done.stdout, done.stderr) == (sample.greeting("my-image"), "")


def test_completion_knows_the_engines_things(lab: Lab) -> None:
    lab.engine.images.add_sample("my-image", "my-image")
    assert commands.complete(["image", "rm", "my"], lab.engine) == ["my-image:latest"]
    away = Docker(Address("unix:///nowhere/docker.sock", "test"))
    assert commands.complete(["image", "rm", "my"], away) == []


def test_who_may_not_open_the_socket_is_told_so(lab: Lab) -> None:
    os.seteuid(65534)
    try:
        said = lab("ps")
    finally:
        os.seteuid(0)
    assert said.err == (
        "permission denied while trying to connect to the Docker daemon socket at "
        f"{lab.daemon.host}\n"
    )


def test_reset_on_the_command_line(lab: Lab) -> None:
    lab.engine.images.add_sample("my-image", "my-image")
    env = os.environ | {"DOCKER_HOST": lab.daemon.host, "DOCKERLAB_ENGINE": "docker"}
    reset = [sys.executable, "-m", "dockerlab", "reset", "--yes"]
    assert subprocess.run(reset, env=env, capture_output=True, check=True).stdout
    assert lab.hers("images", "--format", "{{.Repository}}").split() == ["shell"]


@pytest.mark.parametrize("line", ["run", "logs"])
def test_an_engine_that_is_lost_in_the_middle(lab: Lab, tmp_path: Path, line: str) -> None:
    """All connections to the engine end, as if it had been killed."""
    lost, there = str(tmp_path / "s"), lab.daemon.host.removeprefix("unix://")
    if line == "logs":
        lab.hers("run", "-d", "--name", "web", *SLEEP)
    words = {"run": ["run", *SLEEP], "logs": ["logs", "-f", "web"]}[line]
    out, err = io.StringIO(), io.StringIO()
    with subprocess.Popen(
        [sys.executable, "-c", _RELAY, lost, there], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout and process.stdout.readline()

        def cut() -> None:
            try:
                until(lambda: "on" in out.getvalue())
            finally:
                process.kill()

        cutter = threading.Thread(target=cut)
        cutter.start()
        engine = Docker(Address(f"unix://{lost}", "test"))
        assert commands.run(words, engine, out, err) == {"run": 125, "logs": 1}[line]
        cutter.join()
        engine.client.close()
    assert "Cannot connect to the Docker daemon at" in err.getvalue()


def test_an_engine_that_stops_and_comes_back(lab: Lab) -> None:
    assert lab("ps -q").status == 0
    host = lab.daemon.host
    gone = f"Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"
    lab.daemon.stop()
    try:
        assert lab("ps -q") == Result("", gone + "\n", 1)
        assert lab("inspect nosuch") == Result("[]\n", gone + "\n", 1)
        assert checks.run("tag", lab.engine).facts["error"] == gone
        with pytest.raises(Unreachable):
            beginning.begin(LESSON, lab.engine)
    finally:
        lab.daemon.start()
    assert lab("ps -q").status == 0


@pytest.fixture
def filled(lab: Lab, need: Callable[[str], str], tmp_path: Path) -> Iterator[dict[str, int]]:
    """Two registries that hold an image, one in a named volume; beside them what is hers."""
    listen = ("--change", "ENV REGISTRY_HTTP_ADDR=:5000", "--change", "EXPOSE 5000")
    tar = registry_tar(need("docker-registry"), tmp_path)
    lab.hers("import", *REGISTRY, *listen, str(tar), "registry:2")
    lab.hers("volume", "create", "precious")
    lab.hers("create", "--name", "web", "-v", "precious:/data", "shell", "sh")
    lab.engine.images.add_sample("my-image", "my-image")
    lab.good("volume create registry-data")
    lab.good("volume create unused")
    ports = {"registry": free_port(), "second": free_port()}
    volumes = {"registry": "", "second": "-v registry-data:/var/lib/registry"}
    for name, port in ports.items():
        where = f"-p 127.0.0.1:{port}:5000 --name {name} {volumes[name]}"
        lab.good(f"run -d {where} registry:2")
        until(lambda port=port: held(port) == {})
        lab.good(f"tag my-image localhost:{port}/{name}")
        lab.good(f"push -q localhost:{port}/{name}")
    lab.good("create --name idle registry:2")
    yield ports
    lab.hers("rm", "-f", "-v", "web")
    lab.hers("volume", "rm", "precious")


def held(port: int) -> dict[str, list[str]] | None:
    """What a registry holds; None if none answers."""
    try:
        with Registry(f"localhost:{port}") as registry:
            return {name: list(registry.tags(name)) for name in registry.catalog()}
    except Unavailable:
        return None


def seen(lab: Lab, ports: dict[str, int]) -> object:
    """All that is there, without ids, and what the registries hold."""
    for name in lab.hers("ps", "--format", "{{.Names}}").split():
        if name in ports:
            until(lambda name=name: held(ports[name]) is not None)
    shown = {**SHOWN, "container ls -a": "{{.Names}} {{.Image}} {{.State}}"}
    shown["network ls"] = "{{.Name}}"
    lines = [lab.hers(*kind.split(), "--format", how) for kind, how in shown.items()]
    nameless = [re.sub(r"[0-9a-f]{64}", "ANONYMOUS", text) for text in lines]
    return [sorted(text.splitlines()) for text in nameless], {
        name: held(port) for name, port in ports.items()
    }


def test_a_goto_and_a_reset_are_undone(lab: Lab, filled: dict[str, int]) -> None:
    before = seen(lab, filled)
    said = moving.goto(LESSON, lab.engine)
    assert any("ids" in line for line in said)  # what an undo does not bring back
    names = lab.hers("ps", "-a", "--format", "{{.Names}}").split()
    assert "registry" not in names and {"web", "idle"} <= set(names)
    assert held(filled["registry"]) is None
    after = seen(lab, filled)
    moving.undo(lab.engine)
    assert seen(lab, filled) == before
    moving.undo(lab.engine, again=True)
    assert seen(lab, filled) == after
    moving.undo(lab.engine)
    moving.reset(lab.engine)
    assert lab.hers("ps", "-a", "--format", "{{.Names}}").split() == ["web"]
    assert "my-image" not in lab.hers("images")
    moving.undo(lab.engine)
    assert seen(lab, filled) == before


@pytest.mark.parametrize("way", ["goto", "undo"])
def test_killed_in_the_midst_it_can_still_be_undone(
    lab: Lab, filled: dict[str, int], way: str
) -> None:
    before, died, turn = seen(lab, filled), True, 0
    while died:
        if way == "undo":
            moving.reset(lab.engine)
        child = os.fork()
        if not child:
            _die_before_request(9 + turn * 70)
            engine = Docker(Address(lab.daemon.host, "test"))
            moving.goto(LESSON, engine) if way == "goto" else moving.undo(engine)
            os._exit(0)
        died = os.waitpid(child, 0)[1] != 0
        with suppress(NothingKept):
            while True:
                moving.undo(lab.engine)
        assert seen(lab, filled) == before, turn
        turn += 1
    assert turn > 1


def _die_before_request(number: int) -> None:
    count = 0

    def watch(event: str, _facts: object) -> None:
        nonlocal count
        count += event == "http.client.send"
        if count == number:
            os._exit(9)

    sys.addaudithook(watch)
