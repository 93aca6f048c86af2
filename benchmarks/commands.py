"""How long `%docker tag` and `%docker ps` take in a notebook, beside the docker CLI's own time.

    python benchmarks/commands.py [RUNS]

The magics run in a real kernel, measured inside it; the CLI runs as a process against the engine
that DOCKER_HOST names, if one answers. Both have one image and one running container. Prints a
Markdown table of medians; exits with 1 if a magic takes longer than the CLI.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time

from kernels import kernel

COMMANDS = {"tag": "tag {image} bench-names:new", "ps": "ps", "images": "images"}
MEASURE = """
import time, contextlib, io
def measure(line, runs):
    times = []
    for _ in range(runs):
        with contextlib.redirect_stdout(io.StringIO()):
            started = time.perf_counter()
            get_ipython().run_line_magic("docker", line)
            times.append(time.perf_counter() - started)
        assert _exit_code == 0, line
    return times
"""


def magics(runs: int) -> dict[str, float]:
    """Median seconds of each command in a kernel with a lab of its own."""
    with kernel("embedded") as execute:
        execute("from dockerlab import lab")
        execute('lab.begin("05-tag-push-pull")')
        execute("%docker run -d --name registry -p 0:5000 registry:2")
        execute(MEASURE)
        found = {}
        for name, line in COMMANDS.items():
            wanted = line.format(image="my-image")
            times = execute(f"print(*measure({wanted!r}, {runs}))").split()
            found[name] = statistics.median(map(float, times))
        execute("lab.reset()")
        return found


def cli(docker: str, runs: int) -> dict[str, float]:
    """Median seconds of each command of the docker CLI; nothing if no engine answers."""

    def call(*words: str) -> str:
        done = subprocess.run([docker, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        image = call("images", "--quiet").split()[0]
    except (subprocess.CalledProcessError, IndexError):
        return {}
    found = {}
    for name, line in COMMANDS.items():
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            call(*line.format(image=image).split())
            times.append(time.perf_counter() - started)
        found[name] = statistics.median(times)
    call("rmi", "bench-names:new")
    return found


def main() -> int:
    """Measure both and compare."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 40
    docker = shutil.which("docker")
    theirs = cli(docker, runs) if docker else {}
    ours = magics(runs)
    print("| command | `%docker` | docker CLI | ratio |\n|---|--:|--:|--:|")
    for name, time_of_ours in ours.items():
        there = theirs.get(name)
        beside = f"{there * 1000:.1f} ms | {time_of_ours / there:.2f}" if there else "– | –"
        print(f"| `docker {name}` | {time_of_ours * 1000:.1f} ms | {beside} |")
    return 1 if any(ours[name] > there for name, there in theirs.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
