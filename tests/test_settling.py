"""A registry that `%docker` has started on a Docker Engine is there for the next cell."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from dockerlab.engine.docker.address import LOCAL
from dockerlab.engine.serving import serve
from dockerlab.registry.client import Registry
from tests.servers import RunningServer

NAME = "settling-test"


@pytest.fixture
def docker(
    tmp_path: Path, need: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    """`%docker` on the Docker Engine, which has the real registry as the image NAME."""
    program, copy = need("docker"), need("skopeo")
    need("docker-registry")
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    hub = RunningServer([sys.executable, "-m", "dockerlab", "hub", "--port", "0"])
    try:
        source = f"docker://127.0.0.1:{hub.port}/library/registry:2"
        host = ["--dest-daemon-host", os.environ.get("DOCKER_HOST", LOCAL)]
        command = [copy, "copy", "-q", "--src-tls-verify=false", *host, source]
        subprocess.run([*command, f"docker-daemon:{NAME}:latest"], check=True)
    finally:
        hub.stop()

    def run(line: str) -> str:
        out = StringIO()
        assert serve(line.split(), out, out) == 0, out.getvalue()
        return out.getvalue()

    yield run
    for line in (f"rm -f -v {NAME}", f"rmi -f {NAME}"):
        subprocess.run([program, *line.split()], check=False, capture_output=True)


def test_it_answers_at_once(docker: Callable[[str], str]) -> None:
    for _ in range(8):
        docker(f"run -d -p 5000 --name {NAME} {NAME}")
        port = docker(f"port {NAME} 5000").split()[0].rpartition(":")[2]
        with Registry(f"127.0.0.1:{port}") as registry:
            assert list(registry.catalog()) == []
        docker(f"restart -t 0 {NAME}")
        port = docker(f"port {NAME} 5000").split()[0].rpartition(":")[2]
        with Registry(f"127.0.0.1:{port}") as registry:
            assert list(registry.catalog()) == []
        docker(f"rm -f -v {NAME}")
