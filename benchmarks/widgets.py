"""What the widgets cost, in a real kernel on the course's own engine.

    python benchmarks/widgets.py [ROUNDS]

Prints a Markdown table; exits with 1 if a push with its picture takes more than 1.05 times as long
as the same push without it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from kernels import kernel

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import large
from servers import start_server

MIB = 1024 * 1024
LIMIT = 1.05
PUSH = """
import time
from dockerlab import lab
from dockerlab.image.reference import Reference

def push(name, seen):
    lab.engine.images.tag("large", Reference.parse(name))
    began = time.perf_counter()
    if seen:
        assert get_ipython().display_formatter.format(lab.push(name))[0]["text/html"]
    else:
        lab.engine.push(Reference.parse(name), lambda line: None)
    print(time.perf_counter() - began)
"""


def push_overhead(rounds: int) -> tuple[float, float]:
    """Median seconds of a push of 4 × 64 MiB to a fresh registry, without and with the view."""
    from dockerlab.engine.embedded import Embedded

    with kernel("embedded") as execute:
        large.add(
            Embedded(Path(os.environ["DOCKERLAB_HOME"])).images,
            "docker.io/library/large:latest",
            *[64 * MIB] * 4,
        )
        execute(PUSH)
        for seen in (False, True):
            _pushed(execute, seen)  # imports
        turns = [(_pushed(execute, False), _pushed(execute, True)) for _ in range(rounds)]
    without, seen = (statistics.median(each) for each in zip(*turns, strict=True))
    return without, seen


def _pushed(execute: Callable[[str], str], seen: bool) -> float:
    """Seconds of one push."""
    with tempfile.TemporaryDirectory() as folder, start_server(Path(folder)) as server:
        return float(execute(f"push('localhost:{server.port}/large:latest', {seen})"))


def main() -> int:
    """Measure, print, judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    without, seen = push_overhead(rounds)
    print("| push of 4 × 64 MiB | seconds | × |\n|---|---|---|")
    print(
        f"| without the view | {without:.3f} | |\n| with it | {seen:.3f} | {seen / without:.3f} |"
    )
    return seen / without > LIMIT


if __name__ == "__main__":
    sys.exit(main())
