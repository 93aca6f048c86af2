"""How fast the widgets are: `python benchmarks/browser.py`. Times in milliseconds.

The registry has 10,000 repositories, filled on the disk by hand.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

MANY, RUNS = 10_000, 9
COLD = """
import time
from dockerlab import lab
start = time.perf_counter()
view = lab.registry({address!r})
repr(view), view.html(), view.html(live=True)
print((time.perf_counter() - start) * 1000)
"""


@contextmanager
def crowd() -> Iterator[str]:
    """The address of a registry with many repositories, `a/first:1` with an image."""
    import httpx

    from tests.servers import push_image, start_server

    quick = next(filter(os.path.isdir, ["/dev/shm"]), None)
    with tempfile.TemporaryDirectory(dir=quick) as root, start_server(Path(root)) as running:
        with httpx.Client(base_url=running.url) as http:
            push_image(http, "a/first", "1", b"layer")
        repositories = Path(root) / "docker/registry/v2/repositories"
        shutil.copytree(repositories / "a/first", repositories / "z/last")
        for number in range(MANY - 2):
            os.makedirs(repositories / f"n{number // 100:03}/{number % 100:02}/_layers")
        yield running.address


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def browser_first_view() -> tuple[list[float], list[float]]:
    """From `lab.registry(…)` to all that the page gets: with all imported, and in a new process."""
    from dockerlab.widgets.registry import look

    def view(address: str) -> None:
        seen = look(address)
        repr(seen), seen.html(), seen.html(live=True)

    with crowd() as address:
        program = [sys.executable, "-c", COLD.format(address=address)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        cold = [
            float(subprocess.run(program, capture_output=True, check=True, env=env).stdout)
            for _ in range(RUNS)
        ]
        view(address)
        warm = []
        for _ in range(RUNS):
            warm.append(milliseconds(lambda: view(address)))
            time.sleep(2)  # the rest of the names are listed meanwhile
    return warm, cold


def browser_click() -> tuple[list[float], list[float]]:
    """From a click on a repository, and one on a tag, to the HTML that shows its effect."""
    from dockerlab.widgets.registry import look

    repository, tag = [], []
    with crowd() as address:
        view = look(address)
        while view.asking:
            time.sleep(0.1)

        def act(name: str, value: str, seen: str) -> None:
            view.handle(name, value)
            while seen not in view.html(live=True):
                time.sleep(0.001)

        for _ in range(RUNS):
            view.contents.repositories.pop("a/first", None)
            repository.append(milliseconds(lambda: act("repository", "a/first", "45B")))
            tag.append(milliseconds(lambda: act("panel", "a/first:1", "aria-pressed")))
            act("panel", "a/first:1", "45B")
            act("repository", "a/first", "a/first")
    return repository, tag


def main() -> None:
    """Measure, and print medians with their spread."""
    for name, times in (
        ("registry browser, first view", browser_first_view()),
        ("registry browser, click", browser_click()),
    ):
        for kind, each in zip(("(a)", "(b)"), times, strict=True):
            print(f"{name} {kind}: {statistics.median(each):.0f} ({min(each):.0f}–{max(each):.0f})")


if __name__ == "__main__":
    main()
