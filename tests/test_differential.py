"""The same command lines on the embedded engine and on a real Docker Engine, letter by letter.

What is known to differ, and why, is in differential/differences.yaml. The lessons' lines are
compared by nbval, which runs the lessons on both engines.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests import pairs
from tests.differences import Difference, known, table

FOLDER = Path(__file__).parent / "differential"


def test_there_are_many_lines() -> None:
    assert len({line for line in lines() if not line.startswith("!")}) >= 120


def test_every_line_is_dockers(tmp_path: Path, need: Callable[[str], str]) -> None:
    """In one test, since the lines build upon each other."""
    for program in ("dockerd", "docker-registry"):
        need(program)
    wrong, needed, listed = [], set(), {(one, "") for one in known()}
    with pairs.pair(tmp_path) as pair:
        for line in lines():
            ours, theirs = pair.both(line)
            about = [one for one in known() if one.line.search(line)]
            listed |= {(one, line) for one in about}
            if not equal(ours, theirs, about):
                wrong.append(line)
                print(f"=== {line}\n<<< ours\n{ours}\n>>> docker\n{theirs}")
            for one in about:
                if not equal(ours, theirs, [other for other in about if other is not one]):
                    needed |= {(one, line), (one, "")}
    assert wrong == []
    assert listed - needed == set(), "listed as differences, and there is none (any more)"


def test_the_readme_tells_what_differs() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert table() in readme, "python -m tests.differences prints what belongs there"


def equal(ours: str, theirs: str, but_for: list[Difference]) -> bool:
    """Whether both printed the same, leaving aside the differences."""
    for one in but_for:
        ours, theirs = one.ours.sub("", ours), one.docker.sub("", theirs)
    return ours == theirs


def lines() -> list[str]:
    """What is run, in order."""
    script = (FOLDER / "lines.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in script if line and not line.startswith("#")]
