"""How long `dockerlab goto`, `reset`, `undo` and `redo` take, from a terminal, with a full lab.

    python benchmarks/goto.py [RUNS]

The lab has three running registries, each with images in it, on the engine that DOCKERLAB_ENGINE
names (the course's own if it names none); DOCKERLAB_HOME is a folder of its own. Prints a Markdown
table, seconds of the whole command: the median and the slowest of all lessons and runs. On the
course's own engine it exits with 1 if any takes longer than three seconds.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import psutil

from dockerlab.course.outline import lessons

MOST = 3.0
PORTS = {"registry": 5000, "second": 5002, "mine": 5004}
IMAGES = ("nginx", "hello-world", "alpine")


def run(*words: str) -> float:
    """Seconds that a command of dockerlab's takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dockerlab", *words], check=True, capture_output=True)
    return time.perf_counter() - began


def fill() -> None:
    """Three registries, each with all images in it."""
    for image in IMAGES:
        run("docker", "pull", "-q", image)
    for name, port in PORTS.items():
        run("docker", "run", "-d", "-p", f"{port}:5000", "--name", name, "registry:2")
        for image in IMAGES:
            run("docker", "tag", image, f"localhost:{port}/{image}")
            run("docker", "push", "-q", f"localhost:{port}/{image}")


def measure(runs: int) -> dict[str, list[float]]:
    """The times of each command."""
    times: dict[str, list[float]] = {name: [] for name in ("goto", "undo", "redo", "reset")}
    for _ in range(runs):
        for lesson in lessons():
            times["goto"].append(run("goto", lesson.name))
            times["undo"].append(run("undo"))
        times["redo"].append(run("redo"))
        run("undo")
        times["reset"].append(run("reset", "--yes"))
        times["undo"].append(run("undo"))
    return times


def main(arguments: Sequence[str]) -> int:
    """1 if the course's own engine takes too long."""
    engine = os.environ.setdefault("DOCKERLAB_ENGINE", "embedded")
    with tempfile.TemporaryDirectory() as home:
        os.environ["DOCKERLAB_HOME"] = home
        try:
            fill()
            times = measure(int(arguments[0]) if arguments else 3)
        finally:
            run("reset", "--yes")
    print(f"{platform.platform()}, {psutil.cpu_count()} cores, engine: {engine}\n")
    print("| | median, s | slowest, s | runs |\n|---|---|---|---|")
    for name, found in times.items():
        print(f"| {name} | {statistics.median(found):.2f} | {max(found):.2f} | {len(found)} |")
    slowest = max(max(found) for found in times.values())
    return int(engine == "embedded" and slowest > MOST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
