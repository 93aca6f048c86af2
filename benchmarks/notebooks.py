"""The lessons under nbval, beside as many empty notebooks and the container starts.

    python benchmarks/notebooks.py [ROUNDS]

Prints, for each language, the best of ROUNDS (3) of both, how many registries the lessons start
and what one start takes; the lessons may take 2 x the empty notebooks and the starts.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

import nbformat

from dockerlab.course import outline
from dockerlab.engine import commands
from dockerlab.engine.embedded import Embedded

ROOT = Path(__file__).parent.parent
MOST = 2.0
START = re.compile(r"(?m)^%docker (?:container )?(?:run -d |start |restart )")


def empty(folder: Path, count: int) -> Path:
    """A folder with `count` notebooks of one cell that does nothing."""
    for number in range(count):
        cell = nbformat.v4.new_code_cell("pass", execution_count=1, id="a")
        notebook = nbformat.v4.new_notebook(cells=[cell])
        nbformat.write(notebook, folder / f"{number}.ipynb")
    return folder


def seconds(folder: Path) -> float:
    """How long nbval takes for the notebooks in `folder`."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-cov", "-p", "no:cacheprovider"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "-c", ROOT / "pyproject.toml", "--rootdir", ROOT, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - started


def starts(folder: Path) -> int:
    """How many registries the lessons in `folder` start, those that they find running included."""
    cells = [
        cell["source"]
        for path in folder.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell["cell_type"] == "code"
    ]
    prepared = sum(len(lesson.begins.get("registries", ())) for lesson in outline.lessons())
    return sum(len(START.findall(source)) for source in cells) + prepared


def start() -> float:
    """Seconds that one start of a registry takes; the median of five."""
    took = []
    with tempfile.TemporaryDirectory() as home:
        engine = Embedded(Path(home))
        try:
            for _ in range(6):
                out, before = StringIO(), time.perf_counter()
                line = ["run", "-d", "-p", "127.0.0.1::5000", "registry:2"]
                assert commands.run(line, engine, out, out) == 0, out.getvalue()
                took.append(time.perf_counter() - before)
        finally:
            engine.reset()
    return statistics.median(took[1:])  # the first one pulls the image


def main(rounds: int) -> int:
    """Measure both languages; 1 if one takes too long."""
    one, fits = start(), True
    for language in ("bn", "en"):
        lessons = ROOT / "notebooks" / language
        with tempfile.TemporaryDirectory() as folder:
            nothing = empty(Path(folder), len(list(lessons.glob("*.ipynb"))))
            pairs = [(seconds(lessons), seconds(nothing)) for _ in range(rounds)]
        ours, least = (min(times) for times in zip(*pairs, strict=True))
        count = starts(lessons)
        ratio = (ours - count * one) / least
        fits = fits and ratio <= MOST
        print(
            f"{language}: lessons {ours:.2f} s, {count} starts of {one:.2f} s, "
            f"empty {least:.2f} s; without the starts {ratio:.2f} x"
        )
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
