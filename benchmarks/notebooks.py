"""The lessons under nbval, beside as many empty notebooks: the time of one to the other.

    python benchmarks/notebooks.py [ROUNDS]

Prints the best of ROUNDS (3) for each language; 2.0 is the most that is allowed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
MOST = 2.0


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


def main(rounds: int) -> int:
    """Measure both languages; 1 if one takes too long."""
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        for language in ("bn", "en"):
            lessons = ROOT / "notebooks" / language
            nothing = Path(folder) / language
            nothing.mkdir()
            empty(nothing, len(list(lessons.glob("*.ipynb"))))
            pairs = [(seconds(lessons), seconds(nothing)) for _ in range(rounds)]
            ours, least = (min(times) for times in zip(*pairs, strict=True))
            ratios[language] = ours / least
            print(f"{language}: lessons {ours:.2f} s, empty {least:.2f} s, {ours / least:.2f} x")
    return 0 if max(ratios.values()) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
