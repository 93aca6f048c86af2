"""Containers and several processes, damaged state, and the end of everything."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerlab.engine import current, process
from dockerlab.engine.embedded import Embedded
from tests.dockers import Docker
from tests.running import KILL

# Two of these run at once: each makes, renames, stops and removes its own, and fights for "both".
_WORKER = """
import io, sys
from pathlib import Path
from dockerlab.engine.commands import run
from dockerlab.engine.embedded import Embedded

def docker(*argv):
    out, err = io.StringIO(), io.StringIO()
    return run(argv, Embedded(Path(sys.argv[1])), out, err), err.getvalue()

me = sys.argv[2]
for turn in range(int(sys.argv[3])):
    assert docker("run", "-d", "-p", "5000", "--name", me, "registry:2")[0] == 0
    volume = f"shared{turn}:/data"
    assert docker("run", "-v", volume, "--name", f"{me}-hello", "hello-registry")[0] == 0
    status, err = docker("run", "-d", "--name", "both", "hello-registry")
    assert status == 0 or "Conflict" in err or "No such container" in err, err
    docker("rm", "-f", "both")
    assert docker("rename", f"{me}-hello", f"{me}-other")[0] == 0
    assert docker("ps", "-a")[0] == 0
    assert docker("stop", me) == (0, "")
    assert docker("rm", "-v", me, f"{me}-other") == (0, "")
"""


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    docker = Docker(tmp_path / "home")
    for name in ("registry:2", "hello-registry"):
        docker("pull", "-q", name)
    yield docker
    docker.engine.reset()


def run_registry(docker: Docker, name: str) -> Path:
    """Start one, and give the folder of its state."""
    docker.good("run", "-d", "-p", "5000", "--name", name, "registry:2")
    return docker.engine.containers.path / docker.engine.containers.find(name).id


def test_two_processes_at_once_corrupt_nothing(docker: Docker, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _WORKER, str(tmp_path / "home")]
    workers = [
        subprocess.Popen([*argv, name, "4"], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    failures = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], failures
    assert docker.engine.containers.list() == []
    assert docker.engine.containers.damaged == []
    assert process.marked(str(tmp_path)) == []
    names = docker.good("volume", "ls", "-q").split()
    assert names == [f"shared{turn}" for turn in range(4)]


def test_two_processes_want_one_port(docker: Docker, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = (
        "import sys\nfrom dockerlab.engine import current\n"
        "from dockerlab.engine.commands import run\n"
        "sys.exit(run(sys.argv[1:], current(), sys.stdout, sys.stderr))"
    )
    argv = [sys.executable, "-c", program, "run", "-d", "-p", f"{port}:5000", "registry:2"]
    env = {**os.environ, "DOCKERLAB_HOME": str(tmp_path / "home")}
    racers = [
        subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [racer.communicate(timeout=60)[1] for racer in racers]
    assert sorted(racer.returncode for racer in racers) == [0, 125]
    assert f"Bind for 127.0.0.1:{port} failed: port is already allocated" in "".join(said)


def test_a_process_killed_at_any_moment(docker: Docker, tmp_path: Path) -> None:
    """What it leaves can be listed and removed, and its name used again."""
    argv = [sys.executable, "-c", _WORKER, str(tmp_path / "home"), "one", "1000"]
    for moment in range(6):
        victim = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not docker.good("ps", "-aq") and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moment / 20)
        victim.kill()
        victim.wait(20)
        names = docker.good("ps", "-a", "--format", "{{.Names}}").split()
        assert docker.engine.containers.damaged == []
        if names:
            docker.good("rm", "-f", "-v", *names)


@pytest.mark.parametrize("content", [b"{", b"", b"[]", b'{"id": 1}', b"\xff\xfe"])
def test_a_damaged_record(docker: Docker, content: bytes) -> None:
    damaged, other = run_registry(docker, "bad"), run_registry(docker, "good")
    (damaged / "container.json").write_bytes(content)
    result = docker("ps", "--format", "{{.Names}}")
    assert (result.status, result.out) == (0, "good\n")
    message = (
        f"The file {damaged / 'container.json'} is damaged. “docker rm -f {damaged.name[:12]}” "
        "removes what it describes; everything else still works.\n"
    )
    assert result.err == message
    assert docker.good("stop", "good") == "good\n"
    assert docker("stop", damaged.name[:12]).err == message
    assert docker("rm", damaged.name[:12]).err == message
    assert len(process.marked(str(damaged))) == 1
    assert docker.good("rm", "-f", damaged.name[:12]).strip() == damaged.name[:12]
    assert process.marked(str(damaged)) == []
    assert docker.good("ps", "-a", "--format", "{{.Names}}") == "good\n"
    assert other.is_dir()


def test_reset_leaves_nothing(docker: Docker, tmp_path: Path) -> None:
    run_registry(docker, "r1")
    (run_registry(docker, "r2") / "container.json").unlink()  # even what nobody knows of any more
    docker.engine.reset()
    assert process.marked(str(tmp_path)) == []
    assert not (tmp_path / "home" / "hosts" / "default").exists()
    assert docker.good("ps", "-aq") == docker.good("images", "-q") == ""
    docker.engine.reset()


def test_stop_all_keeps_the_containers(docker: Docker, tmp_path: Path) -> None:
    run_registry(docker, "r1")
    docker.good("run", "-d", "--restart", "always", "--name", "r2", "registry:2")
    docker.engine.stop_all()
    assert process.marked(str(tmp_path)) == []
    assert docker.good("ps", "-q") == ""
    assert docker.good("ps", "-a", "--format", "{{.Names}}").split() == ["r2", "r1"]
    assert docker.good("start", "r1") == "r1\n"


def test_another_process_with_the_same_id(docker: Docker) -> None:
    """A pid that was used again is not taken for the container's, and not killed."""
    folder = run_registry(docker, "r1")
    record = json.loads((folder / "container.json").read_bytes())
    number, born = record["state"]["process"]
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    record["state"]["process"] = [stranger.pid, born - 100]
    (folder / "container.json").write_text(json.dumps(record), encoding="utf-8")
    assert docker.good("ps", "-q") == ""
    assert docker("rm", "-f", "r1").status == 0
    assert stranger.poll() is None
    stranger.communicate(b"\n", timeout=20)
    os.kill(number, KILL)


def test_home_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    docker = Docker(tmp_path / "home")
    result = docker("run", "hello-registry")
    assert result.status != 0
    assert "Traceback" not in result.err
    assert str(tmp_path / "home") in result.err
    assert docker.bad("ps") == (
        f"dockerlab cannot use its folder {tmp_path / 'home'}: Not a directory.\n"
    )


def test_no_room_for_a_record(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that cannot be written leaves no half container and no process."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
        result = docker("run", "-d", "--name", "r1", "-p", "5000", "registry:2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert result.status == 1
    assert result.err.startswith("dockerlab cannot use its folder")
    assert os.strerror(errno.EFBIG) in result.err
    assert docker.good("ps", "-aq") == ""
    assert process.marked(str(docker.engine.path)) == []
    run_registry(docker, "r1")


def test_current_follows_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "one"))
    first = current()
    assert first is current()
    assert first.path == tmp_path / "one" / "hosts" / "default"
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "two"))
    assert current().root == tmp_path / "two"


@pytest.mark.parametrize("name", ["", "a", "../x", "a b", "-x"])
def test_names_that_no_host_may_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        Embedded(tmp_path, name)
