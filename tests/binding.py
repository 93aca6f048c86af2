"""The image of Binder and JupyterHub, built without internet from what was fetched before.

DOCKERLAB_BINDER names the folder that tools/tree.sh has filled.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMAGE = "dockerlab-binder-of-tests"
LIMITS = ("--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=2g")


def prepared() -> Path | None:
    """The folder that tools/tree.sh has filled; None if none is named."""
    named = os.environ.get("DOCKERLAB_BINDER")
    return Path(named) if named else None


def docker(*words: str) -> str:
    """What a docker command prints, which must succeed."""
    done = subprocess.run(["docker", *words], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def build(folder: Path) -> None:
    """Make the image of this project's files."""
    wheels = os.environ.get("DOCKERLAB_WHEELS", folder / "wheels")
    command = [ROOT / "tools" / "image.sh", folder, wheels, IMAGE]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


class Container:
    """A container that runs `command` of the image; `id` is its whole ID."""

    def __init__(self, *command: str, options: Sequence[str] = LIMITS) -> None:
        self.id = docker("run", "-d", *options, IMAGE, *command)
        self._pid = docker("inspect", "-f", "{{.State.Pid}}", self.id)

    def run(self, *command: str) -> str:
        """What another program in it prints."""
        return docker("exec", self.id, *command)

    def beside(self, *command: str) -> str:
        """What a program of this machine prints in the container's network."""
        entering = ["nsenter", f"--net=/proc/{self._pid}/ns/net", *command]
        return subprocess.run(entering, stdout=subprocess.PIPE, text=True, check=True).stdout

    def memory(self) -> int:
        """Bytes that its processes take now: their proportional set size."""
        pids = docker("top", self.id, "-eo", "pid").split()[1:]
        return sum(map(_memory, pids))

    @contextmanager
    def watched(self) -> Iterator[list[int]]:
        """Its memory, again and again, in the list."""
        seen: list[int] = []
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.2):
                seen.append(self.memory())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield seen
        finally:
            done.set()
            thread.join()

    def wait(self) -> tuple[int, str]:
        """Its exit status and what it said, when it ends."""
        status = int(docker("wait", self.id))
        return status, docker("logs", self.id)

    def close(self) -> None:
        """End it."""
        docker("rm", "-f", self.id)


def _memory(pid: str) -> int:
    try:
        lines = Path("/proc", pid, "smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
