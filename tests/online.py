"""A real Docker Engine as if online: with a Docker Hub (tests/dockerhub.py), in its own network."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.engines import FIRST, WITH_US, Daemon, daemon, network

MIRROR = "127.0.0.1:5999"
NAME = "first.example"  # of FIRST


@contextmanager
def online(folder: Path) -> Iterator[Daemon]:
    """It has the course's offline hub as its mirror, and runs containers on SECOND."""
    etc = folder / "engine" / "etc"
    etc.mkdir(parents=True)
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n{FIRST} {NAME}\n", encoding="utf-8")
    (etc / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="utf-8")
    hub = ("-m", "tests.dockerhub", "--folder", str(folder / "hub"))
    mirror = ("-m", "dockerlab", "hub", "--port", MIRROR.rpartition(":")[2])
    with (
        network() as name,
        program(name, ("-m", "tests.nowhere"), folder),
        program(name, hub, folder) as said,
        program(name, mirror, folder),
        daemon(
            folder / "engine",
            f"--registry-mirror=http://{MIRROR}",
            namespace=name,
            bridge=True,
            env=dict(line.split("=", 1) for line in said if "=" in line)
            | {"NO_PROXY": f"192.168.56.0/24,{NAME},.invalid"},
        ) as engine,
    ):
        yield engine


@contextmanager
def program(namespace: str, arguments: Sequence[str], home: Path) -> Iterator[list[str]]:
    """A Python program in that network that listens by now; what it has said so far."""
    command = ["nsenter", f"--net=/var/run/netns/{namespace}", *WITH_US]
    command += [sys.executable, *arguments]
    with subprocess.Popen(
        command,
        env=os.environ | {"DOCKERLAB_HOME": str(home / "lab")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.strip())
            if "listening on" in line:
                break
        threading.Thread(target=process.stdout.read, daemon=True).start()
        try:
            yield said
        finally:
            process.terminate()
