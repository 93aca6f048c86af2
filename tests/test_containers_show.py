"""What docker tells about containers.

The texts are those of docker 28.2.2 with engine 20.10.24.
"""

import json
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containing import answers, elsewhere, free_port, host, start, until
from tests.dockers import Docker


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    yield from host(tmp_path)


@pytest.fixture
def port() -> int:
    return free_port()


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
