"""Containers without Docker, from start to end.

The texts are those of docker 28.2.2 with engine 20.10.24.
"""

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dockerlab.engine import process
from tests.containing import HINT, answers, elsewhere, free_port, host, pid, start, status, until
from tests.dockers import Docker
from tests.running import KILL


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    yield from host(tmp_path)


@pytest.fixture
def port() -> int:
    return free_port()


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
    os.kill(pid(docker), KILL)
    until(lambda: status(docker).startswith("Exited (137)"))


def test_a_registry_that_nobody_watched(docker: Docker, port: int, tmp_path: Path) -> None:
    """Another process started it, so nobody can ask for its exit status."""
    assert elsewhere(
        tmp_path, "run", "-d", "-p", f"{port}:5000", "--name", "registry", "registry:2"
    )
    assert answers(port)  # it outlives the process that started it
    os.kill(pid(docker), KILL)
    until(lambda: status(docker).startswith("Exited (137)"))
    docker.good("start", "registry")
    assert elsewhere(tmp_path, "stop", "registry")
    assert status(docker).startswith("Exited (2)")


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
    again = docker("start", "second").err
    assert mask.search(again) and mask.findall(again) == mask.findall(result.err)  # as in a lesson
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


@pytest.mark.parametrize(
    ("policy", "number", "back"),
    [
        ("always", KILL, True),
        ("unless-stopped", KILL, True),
        ("on-failure:3", KILL, True),
        ("no", KILL, False),
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
        os.kill(number, KILL)
        until(lambda number=number: not process.Process(number, born(number)).alive)
    assert docker.good("ps", "--format", "{{.Names}}").split() == ["r2", "r1"]
    assert status(docker, "r1").startswith("Up")


def born(number: int) -> float:
    try:
        return psutil.Process(number).create_time()
    except psutil.NoSuchProcess:
        return 0.0


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
