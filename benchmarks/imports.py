"""How long `import dockerlab` takes beyond `python -c pass`, and what it brings along.

    python benchmarks/imports.py [RUNS]

Prints a Markdown table of medians; exits with 1 if the import takes more than 40 ms, or loads a
module that should be loaded only where it is used.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

LIMIT = 0.040  # seconds
HEAVY = {
    *("IPython", "click", "docker", "granian", "httpx", "ipywidgets", "jinja2"),
    *("psutil", "starlette", "yaml"),
}
STATEMENTS = {
    "pass": "pass",
    "import dockerlab": "import dockerlab",
    "from dockerlab import Reference": "from dockerlab import Reference",
    "from dockerlab import lab": "from dockerlab import lab",
}


def spend(statement: str) -> float:
    """Seconds that a fresh Python takes for `statement`."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def loaded() -> set[str]:
    """The heavy modules that `import dockerlab` loads."""
    tell = "import sys, dockerlab; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", tell], check=True, capture_output=True, text=True)
    return HEAVY & set(done.stdout.split())


def main() -> int:
    """Measure in turns, so that a busy machine slows all of them down alike."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 40
    spent: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(runs):
        for name, statement in STATEMENTS.items():
            spent[name].append(spend(statement))
    bare = statistics.median(spent["pass"])
    print("| statement | median | more than `pass` |\n|---|--:|--:|")
    for name, times in spent.items():
        median = statistics.median(times)
        print(f"| `{name}` | {median * 1000:.1f} ms | {(median - bare) * 1000:+.1f} ms |")
    more = statistics.median(spent["import dockerlab"]) - bare
    heavy = loaded()
    print(f"\nHeavy modules loaded: {', '.join(sorted(heavy)) or 'none'}.")
    return 1 if heavy or more > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
