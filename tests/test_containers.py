"""Containers without Docker: texts as docker 28.2.2 prints them with engine 20.10.24."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dockerlab.engine import process
from dockerlab.image.reference import Reference
from tests.dockers import Docker

HINT = "\n\nRun 'docker run --help' for more information\n"
RUNC = (
    "failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: exec: "
)


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    """A host that has the images registry:2 and hello-registry, and leaves nothing running."""
    docker = Docker(tmp_path)
    for name in ("registry:2", "hello-registry"):
        docker("pull", "-q", name)
    yield docker
    docker.engine.reset()
    assert process.marked(str(tmp_path)) == []


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(docker: Docker, port: int, name: str = "registry", *flags: str) -> str:
    """Run a registry on `port`; the container's id."""
    return docker.good(
        "run", "-d", "-p", f"{port}:5000", "--name", name, *flags, "registry:2"
    ).strip()


def status(docker: Docker, name: str = "registry") -> str:
    return docker.good("ps", "-a", "--filter", f"name={name}", "--format", "{{.Status}}").strip()


def pid(docker: Docker, name: str = "registry") -> int:
    return int(docker.good("inspect", "-f", "{{.State.Pid}}", name))


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_registry_answers_on_its_port(docker: Docker, port: int) -> None:
    identity = start(docker, port)
    assert re.fullmatch("[0-9a-f]{64}", identity)
    assert answers(port)
    assert docker.good("port", "registry") == f"5000/tcp -> 127.0.0.1:{port}\n"
    assert docker.good("port", "registry", "5000") == f"127.0.0.1:{port}\n"
    lines = docker.good("ps").splitlines()
    assert lines[0].split("  ")[0] == "CONTAINER ID"
    assert re.fullmatch(
        rf'{identity[:12]}   registry:2   "/entrypoint.sh /etc…"   .* ago   Up .*   '
        rf"127.0.0.1:{port}->5000/tcp   registry",
        lines[1],
    )
    assert docker.good("ps", "-q", "--no-trunc") == identity + "\n"


def test_stop_start_restart_kill_and_rm(docker: Docker, port: int) -> None:
    identity = start(docker, port)
    assert docker.bad("rm", "registry") == (
        f"Error response from daemon: You cannot remove a running container {identity}. "
        "Stop the container before attempting removal or force remove\n"
    )
    assert docker.good("stop", "registry") == "registry\n"
    assert re.fullmatch(r"Exited \(2\) .* ago", status(docker))
    assert not answers(port)
    assert docker.good("ps", "-q") == ""
    assert docker.good("port", "registry") == ""
    assert docker.good("stop", "registry") == "registry\n"
    assert docker.good("start", "registry") == "registry\n"
    assert answers(port)
    assert docker.good("start", "registry") == "registry\n"
    assert docker.good("restart", "registry") == "registry\n"
    assert answers(port)
    assert docker.good("kill", "registry") == "registry\n"
    assert re.fullmatch(r"Exited \(137\) .* ago", status(docker))
    assert docker.bad("kill", "registry") == (
        "Error response from daemon: Cannot kill container: registry: "
        f"Container {identity} is not running\n"
    )
    assert docker.good("wait", "registry") == "137\n"
    assert docker.good("rm", "registry") == "registry\n"
    assert docker.good("ps", "-a", "-q") == ""


def test_kill_9_shows_137(docker: Docker, port: int) -> None:
    start(docker, port)
    os.kill(pid(docker), signal.SIGKILL)
    until(lambda: status(docker).startswith("Exited (137)"))


def test_a_registry_that_nobody_watched(docker: Docker, port: int, tmp_path: Path) -> None:
    """Another process started it, so nobody can ask for its exit status."""
    assert elsewhere(
        tmp_path, "run", "-d", "-p", f"{port}:5000", "--name", "registry", "registry:2"
    )
    assert answers(port)  # it outlives the process that started it
    os.kill(pid(docker), signal.SIGKILL)
    until(lambda: status(docker).startswith("Exited (137)"))
    docker.good("start", "registry")
    assert elsewhere(tmp_path, "stop", "registry")
    assert status(docker).startswith("Exited (2)")


def elsewhere(home: Path, *argv: str) -> str:
    """A docker command in a process of its own."""
    program = (
        "import sys\n"
        "from dockerlab.engine import current\n"
        "from dockerlab.engine.commands import run\n"
        "sys.exit(run(sys.argv[1:], current(), sys.stdout, sys.stderr))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *argv],
        env={**os.environ, "DOCKERLAB_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_port_of_another_container(docker: Docker, port: int) -> None:
    start(docker, port)
    result = docker("run", "-d", "-p", f"{port}:5000", "--name", "second", "registry:2")
    assert result.status == 125
    assert re.fullmatch("[0-9a-f]{64}\n", result.out)
    failure = (
        "driver failed programming external connectivity on endpoint second (ID): "
        f"Bind for 127.0.0.1:{port} failed: port is already allocated"
    )
    mask = re.compile("[0-9a-f]{64}")
    assert mask.sub("ID", result.err) == f"docker: Error response from daemon: {failure}{HINT}"
    assert status(docker, "second") == "Created"
    state = json.loads(docker.good("inspect", "-f", "{{json .State}}", "second"))
    assert (state["Status"], state["ExitCode"]) == ("created", 128)
    assert mask.sub("ID", state["Error"]) == failure
    assert mask.sub("ID", docker.bad("start", "second")) == (
        f"Error response from daemon: {failure}\nError: failed to start containers: second\n"
    )
    docker.good("stop", "registry")
    assert docker.good("start", "second") == "second\n"


def test_port_of_another_process(docker: Docker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = docker("run", "-d", "-p", f"{port}:5000", "--name", "r2", "registry:2")
    assert result.status == 125
    assert re.sub("[0-9a-f]{64}", "ID", result.err) == (
        "docker: Error response from daemon: driver failed programming external connectivity on "
        "endpoint r2 (ID): Error starting userland proxy: "
        f"listen tcp4 127.0.0.1:{port}: bind: address already in use{HINT}"
    )
    assert status(docker, "r2") == "Created"


def test_address_that_is_not_ours(docker: Docker) -> None:
    result = docker("run", "-d", "-p", "192.0.2.77:5000:5000", "--name", "r2", "registry:2")
    assert "listen tcp4 192.0.2.77:5000: bind: cannot assign requested address" in result.err


def test_the_name_is_taken(docker: Docker, port: int) -> None:
    identity = start(docker, port)
    result = docker("run", "-d", "--name", "registry", "registry:2")
    assert (result.status, result.out) == (125, "")
    assert result.err == (
        'docker: Error response from daemon: Conflict. The container name "/registry" is already '
        f'in use by container "{identity}". You have to remove (or rename) that container to be '
        f"able to reuse that name.{HINT}"
    )


def test_ports_that_the_system_chooses(docker: Docker) -> None:
    docker.good("run", "-d", "-p", "5000", "-p", "127.0.0.1::5001", "--name", "r1", "registry:2")
    docker.good("run", "-d", "-P", "--name", "r2", "registry:2")
    docker.good("run", "-d", "--name", "r3", "registry:2")
    first = docker.good("port", "r1", "5000/tcp").strip()
    assert answers(int(first.rpartition(":")[2]))
    assert answers(int(docker.good("port", "r2", "5000").rpartition(":")[2]))
    assert docker.good("port", "r3") == ""
    assert docker.good("ps", "--filter", "name=r3", "--format", "{{.Ports}}") == "5000/tcp\n"
    assert docker.good("inspect", "-f", "{{json .NetworkSettings.Ports}}", "r3") == (
        '{"5000/tcp":null}\n'
    )


def test_the_address_inside_the_container(docker: Docker, port: int) -> None:
    docker.good("run", "-d", "-p", f"{port}:5001", "-e", "REGISTRY_HTTP_ADDR=:5001", "registry:2")
    assert answers(port)


def test_a_published_port_on_which_nothing_listens(docker: Docker, port: int) -> None:
    docker.good("run", "-d", "-p", f"{port}:80", "--name", "registry", "registry:2")
    assert not answers(port)
    assert docker.good("port", "registry") == f"80/tcp -> 127.0.0.1:{port}\n"


def test_one_port_twice_needs_docker(docker: Docker) -> None:
    result = docker("run", "-d", "-p", "5001:5000", "-p", "5002:5000", "registry:2")
    assert result.status == 125
    assert result.err.startswith("“docker run -p 5001:5000/tcp -p 5002:5000/tcp” needs a Docker")
    assert docker.good("ps", "-a", "-q") == ""


def push(docker: Docker, port: int) -> None:
    target = f"localhost:{port}/hello"
    docker.good("tag", "hello-registry", target)
    assert docker("push", target).status == 0


def pulls(docker: Docker, port: int) -> bool:
    docker("rmi", f"localhost:{port}/hello")
    return docker("pull", f"localhost:{port}/hello").status == 0


def test_a_volume_keeps_images(docker: Docker, port: int) -> None:
    start(docker, port, "registry", "-v", "images:/var/lib/registry")
    push(docker, port)
    docker.good("rm", "-f", "-v", "registry")
    start(docker, port, "again", "-v", "images:/var/lib/registry")
    assert pulls(docker, port)
    docker.good("rm", "-f", "again")
    start(docker, port, "empty")
    assert not pulls(docker, port)


def test_a_folder_keeps_images(docker: Docker, port: int, tmp_path: Path) -> None:
    folder = tmp_path / "my images"
    start(docker, port, "registry", "-v", f"{folder}:/var/lib/registry")
    push(docker, port)
    docker.good("rm", "-f", "registry")
    assert (folder / "docker/registry/v2/repositories/hello").is_dir()
    mount = f"type=bind,source={folder},target=/var/lib/registry"
    start(docker, port, "again", "--mount", mount)
    assert pulls(docker, port)


def test_another_root_inside(docker: Docker, port: int, tmp_path: Path) -> None:
    setting = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/data/registry"
    start(docker, port, "registry", "-v", f"{tmp_path / 'data'}:/data", "-e", setting)
    push(docker, port)
    assert (tmp_path / "data/registry/docker/registry/v2/repositories/hello").is_dir()


def test_anonymous_volumes_go_with_rm_v(docker: Docker, port: int) -> None:
    start(docker, port)
    assert len(docker.good("volume", "ls", "-q").split()) == 1
    docker.good("rm", "-f", "registry")
    assert len(docker.good("volume", "ls", "-q").split()) == 1
    start(docker, port)
    docker.good("rm", "-f", "-v", "registry")
    assert len(docker.good("volume", "ls", "-q").split()) == 1


def test_rm_flag(docker: Docker, port: int) -> None:
    start(docker, port, "registry", "--rm")
    assert len(docker.good("volume", "ls", "-q").split()) == 1
    docker.good("stop", "registry")
    assert docker.good("ps", "-a", "-q") == docker.good("volume", "ls", "-q") == ""


@pytest.mark.parametrize(
    ("policy", "number", "back"),
    [
        ("always", signal.SIGKILL, True),
        ("unless-stopped", signal.SIGKILL, True),
        ("on-failure:3", signal.SIGKILL, True),
        ("no", signal.SIGKILL, False),
    ],
)
def test_restart_policies(docker: Docker, port: int, policy: str, number: int, back: bool) -> None:
    start(docker, port, "registry", "--restart", policy)
    before = pid(docker)
    os.kill(before, number)
    until(lambda: pid(docker) != before)
    assert status(docker).startswith("Up" if back else "Exited")
    assert docker.good("inspect", "-f", "{{.RestartCount}}", "registry") == f"{int(back)}\n"
    docker.good("stop", "registry")
    assert status(docker).startswith("Exited")  # who is stopped stays stopped


def test_two_that_come_back_at_once(docker: Docker) -> None:
    for name in ("r1", "r2"):
        docker.good("run", "-d", "--restart", "always", "--name", name, "-p", "5000", "registry:2")
    for number in [pid(docker, "r1"), pid(docker, "r2")]:
        os.kill(number, signal.SIGKILL)
        until(lambda number=number: not process.Process(number, born(number)).alive)
    assert docker.good("ps", "--format", "{{.Names}}").split() == ["r2", "r1"]
    assert status(docker, "r1").startswith("Up")


def born(number: int) -> float:
    try:
        return psutil.Process(number).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def test_logs(docker: Docker, port: int) -> None:
    start(docker, port)
    assert answers(port)
    result = docker("logs", "registry")
    assert (result.status, result.out) == (0, "")
    assert f"listening on 127.0.0.1:{port}" in result.err
    until(lambda: "GET /v2/" in docker("logs", "--tail", "1", "registry").err)
    assert docker("logs", "-n", "0", "registry").err == ""
    assert docker("logs", "-n", "x", "registry").err == docker("logs", "registry").err
    stamped = docker("logs", "-t", "registry").err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ", line) for line in stamped)
    assert docker("logs", "--since", "1h", "registry").err == docker("logs", "registry").err
    assert docker("logs", "--until", "1h", "registry").err == ""


def test_logs_follow_until_the_container_ends(docker: Docker, port: int, tmp_path: Path) -> None:
    start(docker, port)
    found = []
    follower = threading.Thread(target=lambda: found.append(docker("logs", "-f", "registry")))
    follower.start()
    assert answers(port)
    elsewhere(tmp_path, "stop", "registry")
    follower.join(20)
    assert "GET /v2/" in found[0].err
    assert found[0].status == 0


def test_run_in_the_foreground(docker: Docker, port: int, tmp_path: Path) -> None:
    found = []
    argv = ("run", "--rm", "-p", f"{port}:5000", "--name", "registry", "registry:2")
    runner = threading.Thread(target=lambda: found.append(docker(*argv)))
    runner.start()
    until(lambda: answers(port))
    elsewhere(tmp_path, "stop", "registry")
    runner.join(20)
    assert found[0].status == 2
    assert "listening on" in found[0].err
    assert docker.good("ps", "-aq") == ""


def test_a_sample_says_hello(docker: Docker) -> None:
    said = docker.good("run", "--name", "hello", "hello-registry")
    assert "Welcome! I am the image hello-registry" in said
    assert status(docker, "hello").startswith("Exited (0)")
    assert docker.good("logs", "hello") == said
    assert docker.good("start", "-a", "hello") == said
    assert docker.good("logs", "hello") == said * 2
    assert docker.good("wait", "hello") == "0\n"
    identity = docker.good("run", "-d", "hello-registry").strip()
    assert docker.good("logs", identity) == said
    assert docker.good("run", "--rm", "hello-registry") == said
    assert len(docker.good("ps", "-aq").split()) == 2


def test_programs_that_an_image_does_not_have(docker: Docker) -> None:
    result = docker("run", "--name", "x", "--name", "x1", "hello-registry", "nope")
    assert result.status == 127
    assert result.err == (
        f'docker: Error response from daemon: {RUNC}"nope": '
        f"executable file not found in $PATH: unknown{HINT}"
    )
    assert status(docker, "x1") == "Created"
    result = docker("run", "--rm", "hello-registry", "/bin/sh")
    assert f'{RUNC}"/bin/sh": stat /bin/sh: no such file or directory: unknown' in result.err
    result = docker("run", "--rm", "--entrypoint", "htpasswd", "registry:2", "-Bbn", "a", "b")
    assert (result.status, result.out) == (127, "")
    assert 'exec: "htpasswd": executable file not found in $PATH: unknown' in result.err
    assert docker.good("ps", "-aq", "--no-trunc", "--filter", "name=x1") == (
        docker.good("ps", "-aq", "--no-trunc")
    )


def test_programs_of_the_registry_image(docker: Docker) -> None:
    docker.good(
        "run", "-d", "--name", "r1", "registry:2", "serve", "/etc/docker/registry/config.yml"
    )
    result = docker("run", "--rm", "registry:2", "garbage-collect", "/etc/x.yml")
    assert result.status == 125
    assert result.err.startswith(
        "“docker run registry:2 garbage-collect /etc/x.yml” needs a Docker"
    )


def test_an_image_that_only_docker_can_run(docker: Docker) -> None:
    store = docker.engine.images
    image = store.find("hello-registry")
    config = {**image.config, "config": {"Cmd": ["python"]}}
    from dockerlab.image.manifest import OCI_CONFIG, OCI_MANIFEST, encode

    added = store.layout.add(encode(config), OCI_CONFIG).to_json()
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": added}
    manifest["layers"] = [layer.to_json() for layer in image.layers]
    descriptor = store.layout.add(encode(manifest), OCI_MANIFEST)
    store.point({str(Reference.parse("python:3")): store.describe(descriptor)})
    result = docker("run", "--rm", "python:3")
    assert (result.status, result.out) == (125, "")
    assert result.err == (
        "“docker run python:3” needs a Docker Engine. This lab runs on dockerlab's own engine, "
        "which runs registries and the course's sample images only.\n"
    )
    assert docker.good("ps", "-aq") == ""


def test_inspect(docker: Docker, port: int) -> None:
    identity = start(docker, port, "registry", "-v", "images:/var/lib/registry", "-l", "a=b")
    (found,) = json.loads(docker.good("inspect", "registry"))
    assert found["Id"] == identity
    assert found["Name"] == "/registry"
    assert (found["Path"], found["Args"]) == ("/entrypoint.sh", ["/etc/docker/registry/config.yml"])
    assert found["Image"] == docker.engine.images.find("registry:2").id
    assert found["State"]["Running"] is True
    assert found["State"]["FinishedAt"] == "0001-01-01T00:00:00Z"
    host = found["HostConfig"]
    assert host["PortBindings"] == {"5000/tcp": [{"HostIp": "", "HostPort": str(port)}]}
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert host["Binds"] == ["images:/var/lib/registry"]
    (mount,) = found["Mounts"]
    assert (mount["Name"], mount["Mode"], mount["RW"]) == ("images", "z", True)
    assert found["Config"]["Labels"]["a"] == "b"
    assert found["Config"]["Hostname"] == identity[:12]
    assert found["NetworkSettings"]["Ports"] == {
        "5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
    }
    assert docker.good("inspect", "-f", "{{.ID}}", identity[:5]) == identity + "\n"
    assert docker.good("container", "inspect", "registry") == docker.good("inspect", "registry")


def test_inspect_finds_containers_images_and_volumes(docker: Docker, port: int) -> None:
    start(docker, port, "registry", "-v", "images:/var/lib/registry")
    docker.good("tag", "hello-registry", "images")
    names = ("registry", "hello-registry", "images")
    found = json.loads(docker.good("inspect", *names))
    assert [item.get("Path", item.get("RepoTags")) for item in found] == [
        "/entrypoint.sh",
        ["hello-registry:latest", "images:latest"],
        ["hello-registry:latest", "images:latest"],
    ]
    assert json.loads(docker.good("inspect", "--type", "volume", "images"))[0]["Driver"] == "local"
    result = docker("inspect", "nope", "registry", "-f", "{{.Name}}")
    assert (result.out, result.err, result.status) == (
        "/registry\n",
        "Error: No such object: nope\n",
        1,
    )
    assert docker("inspect", "nope").out == "[]\n"


def test_filters(docker: Docker, port: int) -> None:
    start(docker, port, "registry", "--label", "team=a")
    docker.good("run", "--name", "hello", "hello-registry")

    def names(*filters: str) -> list[str]:
        flags = [word for filter in filters for word in ("--filter", filter)]
        return docker.good("ps", "-a", *flags, "--format", "{{.Names}}").split()

    assert names() == ["hello", "registry"]
    assert names("name=^reg") == ["registry"]
    assert names("name=reg", "name=hello") == ["hello", "registry"]
    assert names("label=team", "label=team=a") == ["registry"]
    assert names("label=team=b") == []
    assert names("status=exited") == names("exited=0") == ["hello"]
    assert names("ancestor=registry:2") == names(f"publish={port}") == ["registry"]
    assert names("volume=/var/lib/registry") == names("expose=5000") == ["registry"]
    assert names("before=hello") == ["registry"]
    assert names("since=registry") == ["hello"]
    assert names("name=nope") == []
    assert docker.good("ps", "-l", "--format", "{{.Names}}") == "hello\n"
    assert docker.good("ps", "-n", "1", "-q") == docker.good("ps", "-lq")
    assert docker.bad("ps", "--filter", "foo=bar") == (
        "Error response from daemon: Invalid filter 'foo'\n"
    )
    assert docker.bad("ps", "--filter", "status=foo") == (
        "Error response from daemon: Invalid filter 'status=foo'\n"
    )


def test_rename(docker: Docker, port: int) -> None:
    start(docker, port)
    docker.good("rename", "registry", "other")
    assert docker.good("ps", "--format", "{{.Names}}") == "other\n"
    assert docker.bad("rename", "other", "other") == (
        "Error response from daemon: Renaming a container with the same name as its current name\n"
        "Error: failed to rename container named other\n"
    )
    assert docker.bad("rename", "other", "a b") == (
        "Error response from daemon: Error when allocating new name: Invalid container name "
        "(/a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed\n"
        "Error: failed to rename container named other\n"
    )


def test_prune(docker: Docker, port: int) -> None:
    start(docker, port)
    identity = docker.good("run", "-d", "hello-registry").strip()
    question = "Are you sure you want to continue? [y/N] "
    warning = "WARNING! This will remove all stopped containers."
    assert docker("container", "prune", stdin=b"n\n").out == f"{warning}\n{question}"
    assert docker("container", "prune", stdin=b"y\n").out == (
        f"{warning}\n{question}Deleted Containers:\n{identity}\n\nTotal reclaimed space: 0B\n"
    )
    assert docker.good("ps", "-a", "--format", "{{.Names}}") == "registry\n"


def test_environment(
    docker: Docker, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "1")
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", str(tmp_path / "wrong"))
    file = tmp_path / "env"
    file.write_text("# comment\nA=file\nB=file\n", encoding="utf-8")
    flags = ("--env-file", str(file), "-e", "A=flag", "-e", "FROM_OUTSIDE", "-e", "UNKNOWN_THING")
    start(docker, port, "registry", *flags)
    env = json.loads(docker.good("inspect", "-f", "{{json .Config.Env}}", "registry"))
    assert env[:3] == ["A=flag", "B=file", "FROM_OUTSIDE=1"]
    assert [entry.partition("=")[0] for entry in env[3:]] == ["PATH"]
    assert not (tmp_path / "wrong").exists()


def test_create_and_cidfile(docker: Docker, tmp_path: Path) -> None:
    file = tmp_path / "cid"
    identity = docker.good("create", "--cidfile", str(file), "--name", "x1", "hello-registry")
    assert file.read_text(encoding="utf-8") == identity.strip()
    assert status(docker, "x1") == "Created"
    result = docker("run", "--cidfile", str(file), "hello-registry")
    assert (result.status, result.err) == (
        125,
        "docker: container ID file found, make sure the other container isn't running or delete "
        f"{file}{HINT}",
    )
    assert docker.good("start", "x1") == "x1\n"


def test_pull_flag(docker: Docker) -> None:
    docker.good("rmi", "hello-registry")
    result = docker("run", "--rm", "--pull", "never", "hello-registry")
    assert (result.status, result.err) == (
        125,
        f"docker: Error response from daemon: No such image: hello-registry:latest{HINT}",
    )
    result = docker("run", "--rm", "hello-registry")
    assert result.status == 0
    assert result.err.startswith("Unable to find image 'hello-registry:latest' locally\n")
    docker.good("rmi", "hello-registry")
    assert docker("run", "--rm", "-q", "hello-registry").err == ""
    assert "Image is up to date" in docker("run", "--rm", "--pull", "always", "hello-registry").err


def test_unknown_image(docker: Docker) -> None:
    result = docker("run", "-d", "nosuchimage")
    assert result.status == 125
    assert result.err == (
        "Unable to find image 'nosuchimage:latest' locally\n"
        "docker: Error response from daemon: pull access denied for nosuchimage, repository does "
        "not exist or may require 'docker login': denied: requested access to the resource is "
        f"denied{HINT}"
    )
    result = docker("run", "-d", "No/Such")
    assert result.err == (
        f"docker: invalid reference format: repository name (Such) must be lowercase{HINT}"
    )


@pytest.mark.parametrize("command", ["stop", "restart", "wait", "logs", "port", "rm"])
def test_missing_container(tmp_path: Path, command: str) -> None:
    docker = Docker(tmp_path)
    assert docker.bad(command, "nope") == "Error response from daemon: No such container: nope\n"


def test_missing_container_in_other_words(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    missing = "No such container: nope\n"
    assert docker.bad("kill", "nope") == (
        f"Error response from daemon: Cannot kill container: nope: {missing}"
    )
    assert docker.bad("start", "nope") == (
        f"Error response from daemon: {missing}Error: failed to start containers: nope\n"
    )
    assert docker("rm", "-f", "nope").status == 0


def test_some_names_are_missing(docker: Docker, port: int) -> None:
    start(docker, port)
    result = docker("stop", "nope", "registry")
    assert (result.status, result.out) == (1, "registry\n")
    result = docker("start", "nope", "registry")
    assert (result.status, result.out) == (1, "registry\n")
    assert result.err.endswith("Error: failed to start containers: nope\n")


MOUNT = "invalid mount config for type"
REFUSED = r"""
--name|a b|Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
-p|abc|!invalid containerPort: abc
-p|5050:70000|!invalid containerPort: 70000
-p|abc:5000|!invalid hostPort: abc
-p|999.0.0.1:5050:5000|!invalid IP address: 999.0.0.1
-p|localhost:5050:5000|!invalid IP address: localhost
-p|a:b:c:d|!invalid IP address: a:b
-p|5050:5000/foo|!invalid proto: foo
-p|5050:|!no port specified: 5050:<empty>
-p||!no port specified: <empty>
-p|5050-5052:1-2|!invalid ranges specified for container and host Ports: 1-2 and 5050-5052
-p|5052-5050:5000|!invalid hostPort: 5052-5050
-v|:/x|!invalid spec: :/x: empty section between colons
-v|a:b:c:d|invalid volume specification: 'a:b:c:d'
-v|x:/y:zz|invalid mode: zz
-v|v:r|invalid volume specification: 'v:r': MOUNT "volume": invalid mount path: 'r' mount path \
must be absolute
-v|/tmp:/|invalid volume specification: '/tmp:/': MOUNT "bind": invalid specification: \
destination can't be '/'
-v|a/b:/y|create a/b: "a/b" includes invalid characters for a local volume name, only \
"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path
--mount|type=bind,source=/nope,target=/x|MOUNT "bind": bind source path does not exist: /nope
--restart|foo|invalid restart policy 'foo'
--restart|on-failure:x|!invalid restart policy format: maximum retry count must be an integer
--restart|on-failure:-1|maximum retry count cannot be negative
--restart|always:3|maximum retry count cannot be used with restart policy 'always'
--pull|foo|!invalid pull option: 'foo': must be one of "always", "missing" or "never"
"""


@pytest.mark.parametrize("case", REFUSED.replace("\\\n", "").strip().splitlines())
def test_flags_that_docker_refuses(docker: Docker, case: str) -> None:
    """A message without ! comes from the daemon."""
    name, value, message = case.replace("MOUNT", MOUNT).split("|")
    result = docker("run", "-d", name, value, "registry:2")
    who = "" if message.startswith("!") else "Error response from daemon: "
    expected = f"docker: {who}{message.removeprefix('!')}{HINT}"
    assert (result.out, result.err, result.status) == ("", expected, 125)
    assert docker.good("ps", "-aq") == ""


def test_flags_that_exclude_each_other(docker: Docker) -> None:
    assert docker("run", "--rm", "--restart", "always", "registry:2").err == (
        f"docker: conflicting options: cannot specify both --restart and --rm{HINT}"
    )


def test_state_is_private(docker: Docker, port: int, tmp_path: Path) -> None:
    identity = start(docker, port)
    folder = tmp_path / "hosts" / "default" / "containers" / identity
    for path in (folder, folder.parent, folder.parent.parent, tmp_path / "hosts"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("container.json", "log"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_a_second_host(docker: Docker, port: int, tmp_path: Path) -> None:
    result = docker("context", "create", "host2")
    assert (result.out, result.err) == ("host2\n", 'Successfully created context "host2"\n')
    start(docker, port)
    assert docker.good("--context", "host2", "ps", "-q") == ""
    assert docker.good("context", "ls", "--format", "{{.Name}}").split() == ["default", "host2"]
    assert docker.bad("--context", "nope", "ps").startswith(
        'Failed to initialize: unable to resolve docker endpoint: context "nope": context not found'
    )
    # Both hosts are this machine: a port of the one is taken for the other.
    flags = ("-d", "-p", f"{port}:5000", "registry:2")
    assert "address already in use" in docker("-c", "host2", "run", *flags).err
    assert docker.good("context", "rm", "host2") == "host2\n"
    assert not (tmp_path / "hosts" / "host2").exists()
