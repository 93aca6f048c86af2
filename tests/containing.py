"""Registry containers in tests: start them, ask them, wait for them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from dockerlab.engine import process
from tests.dockers import Docker

HINT = "\n\nRun 'docker run --help' for more information\n"


def host(tmp_path: Path) -> Iterator[Docker]:
    """A host that has the images registry:2 and hello-registry, and leaves nothing running."""
    docker = Docker(tmp_path)
    for name in ("registry:2", "hello-registry"):
        docker("pull", "-q", name)
    yield docker
    docker.engine.reset()
    assert process.marked(str(tmp_path)) == []


def free_port() -> int:
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
