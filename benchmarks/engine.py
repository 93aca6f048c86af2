"""What `%docker` adds to the docker CLI's own time, and how long finding an engine takes.

    python benchmarks/engine.py [RUNS]

It needs a Docker Engine (DOCKER_HOST, or the usual socket). Each line runs in a real kernel and as
the CLI alone, in turn. Prints Markdown tables of medians; exits with 1 if `%docker` adds more than
30 ms, or finding takes longer than 0.1 s with an engine or 0.5 s without.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kernels import kernel

LINES = ("ps", "image ls", "version", "volume ls", "image rm nobody")
ADDED, WITH, WITHOUT = 0.03, 0.1, 0.5  # seconds
MEASURE = """
import contextlib, io, subprocess, time
def measure(line, runs):
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        done = subprocess.run(
            ["docker", *line.split()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        between = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            get_ipython().run_line_magic("docker", line)
        ended = time.perf_counter()
        assert _exit_code == done.returncode, line
        times += [between - started, ended - between]
    return times
"""
FIND = """
import time
from dockerlab.engine import docker
started = time.perf_counter()
from dockerlab.engine.docker.finding import find
found = find()
print(time.perf_counter() - started, found.address is not None)
"""


def added(runs: int) -> dict[str, tuple[float, float]]:
    """Of each line the median seconds of the CLI, and what `%docker` took more in its turn."""
    with kernel("docker") as execute:
        execute(MEASURE)
        found = {}
        for line in LINES:
            execute(f"measure({line!r}, 1)")
            times = [float(each) for each in execute(f"print(*measure({line!r}, {runs}))").split()]
            pairs = list(zip(times[::2], times[1::2], strict=True))
            more = statistics.median(ours - cli for cli, ours in pairs)
            found[line] = statistics.median(times[::2]), more
        return found


def finding(runs: int, surroundings: Mapping[str, str], there: bool) -> float:
    """Median seconds that a new process takes to look for an engine."""
    times = []
    for _ in range(runs):
        command = [sys.executable, "-c", FIND]
        done = subprocess.run(command, env=surroundings, capture_output=True, check=True, text=True)
        seconds, answer = done.stdout.split()
        assert answer == str(there), done.stdout
        times.append(float(seconds))
    return statistics.median(times)


def places(runs: int) -> dict[str, tuple[float, float]]:
    """Median seconds of finding an engine, and the most that it may take, in several machines."""
    real = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as silent:
        path = Path(folder, "docker.sock")
        silent.bind(str(path))
        silent.listen()
        names = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKERLAB_ENGINE")
        bare = {name: value for name, value in os.environ.items() if name not in names}
        bare |= {"HOME": folder, "XDG_RUNTIME_DIR": folder, "DOCKERLAB_HOME": folder}
        named = finding(runs, bare | {"DOCKER_HOST": real}, True)
        mute = finding(runs, bare | {"DOCKER_HOST": f"unix://{path}"}, False)
        refused = finding(runs, bare | {"DOCKER_HOST": "tcp://127.0.0.1:1"}, False)
        beside = Path(folder, "podman")
        beside.mkdir()
        Path(beside, "podman.sock").symlink_to(real.removeprefix("unix://"))
        usual = finding(runs, bare, True)
        shutil.rmtree(beside)
        path.unlink()
        nowhere = finding(runs, bare, Path("/var/run/docker.sock").exists())
    return {
        "an engine that DOCKER_HOST names": (named, WITH),
        "an engine, and a socket before it that is silent": (usual, WITH),
        "no engine": (nowhere, WITHOUT),
        "DOCKER_HOST where nobody listens": (refused, WITHOUT),
        "DOCKER_HOST that is silent": (mute, WITHOUT),
    }


def main() -> int:
    """Measure, and judge."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 40
    found = places(max(runs // 4, 3))
    lines = added(runs)
    print("| line | docker CLI | `%docker` adds |\n|---|--:|--:|")
    for line, (cli, more) in lines.items():
        print(f"| `docker {line}` | {cli * 1000:.1f} ms | {more * 1000:.1f} ms |")
    print("\n| looking for an engine | time |\n|---|--:|")
    for what, (seconds, _) in found.items():
        print(f"| {what} | {seconds * 1000:.0f} ms |")
    slow = any(more > ADDED for _, more in lines.values())
    return 1 if slow or any(seconds > most for seconds, most in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
