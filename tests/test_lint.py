"""What tools/lint.py says of a lesson: nothing of a good one, and the right thing of each fault."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockerlab.course import outline

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import lint  # noqa: E402

import notebooks  # noqa: E402

NAME = "04-x"
Cell = dict[str, Any]
Change = Callable[[list[Cell]], None]


def md(id: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def code(id: str, source: str, *tags: str) -> Cell:
    return {"cell_type": "code", "id": id, "metadata": {"tags": list(tags)}, "source": source}


def good() -> list[Cell]:
    """A lesson that is as it should be."""
    title = """[বাংলা](../bn/04-x.ipynb) · [Start page](00-start.ipynb)

# 4 · X

What is X?

**Time:** 5 minutes.
- one
- two
- three"""
    picture = "![A long text that tells all there is to see.](../pictures/x.en.svg)"
    cells = [md("title", title), code("setup", f'lab.begin("{NAME}")')]
    for number in range(12):
        cells += [md(f"m{number}", f"## Step\n\n**Guess:** {picture}"), code(f"c{number}", "1")]
    for number in range(3):
        cells += [md(f"e{number}", "### Exercise"), code(f"x{number}", "# …", "exercise")]
    cells[3]["source"] = 'lab.registry("localhost:5000")'
    return [
        *cells,
        md("recap", "## What you learned\n\n- ☑ a\n- ☑ b\n- ☑ c"),
        code("quiz", f'lab.quiz("{NAME}")'),
        md("words", "**New words:** [digest](glossary.ipynb#digest)\n\n[next](00-start.ipynb)"),
    ]


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[str]]:
    """What is said of the good lesson after a change."""
    for name in ("bn/04-x.ipynb", "en/04-x.ipynb", "en/00-start.ipynb", "pictures/x.en.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "pictures" / "x.bn.svg").touch()
    words = {"cells": [md("digest", "# Words\n\n### digest")], "metadata": {}}
    notebooks.write(tmp_path / "en" / "glossary.ipynb", words)

    def look(change: Change | None = None) -> list[str]:
        cells = good()
        if change:
            change(cells)
        return list(lint.problems(tmp_path / "en" / f"{NAME}.ipynb", cells))

    return look


def test_a_good_lesson_has_no_problems(found: Callable[..., list[str]]) -> None:
    assert found() == []


def put(index: int, source: str) -> Change:
    def change(cells: list[Cell]) -> None:
        cells[index]["source"] = source

    return change


def replace(index: int, old: str, new: str = "") -> Change:
    def change(cells: list[Cell]) -> None:
        assert old in cells[index]["source"]
        cells[index]["source"] = cells[index]["source"].replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda cells: cells.__delitem__(slice(4, 12)), "cells; 30 to 45"),
        (lambda cells: cells.extend([md(f"z{n}", "x") for n in range(20)]), "cells; 30 to 45"),
        (lambda cells: cells[27]["metadata"].clear(), "it has 2 exercises"),
        (put(2, "word " * 91), "91 words"),
        (put(3, "1\n" * 6), "6 lines of code"),
        (
            lambda cells: (
                cells.insert(4, code("y", "1"))
                or cells.insert(4, code("z", "1"))
                or cells.insert(4, code("w", "1"))
            ),
            "more than 3 code cells",
        ),
        (put(2, "#### deep"), "level 4 follows one of level 1"),
        (put(2, "# again"), "its first heading, and no other"),
        (replace(0, "# 4 · X", "## 4 · X"), "its first heading, and no other"),
        (put(2, "![short](../pictures/x.en.svg)"), "needs words that tell all"),
        (put(2, f"![{'long ' * 9}](../pictures/x.bn.svg)"), "not in its language"),
        (put(2, f"![{'long ' * 9}](../pictures/no.en.svg)"), "leads nowhere"),
        (put(2, "[there](05-none.ipynb)"), "leads nowhere"),
        (put(2, "[word](glossary.ipynb#dijest)"), "leads to no heading"),
        (put(2, "[out](http://example.com)"), "should begin with https"),
        (replace(0, "../bn/04-x.ipynb", "../bn/05-y.ipynb"), "a link to its twin"),
        (replace(0, "00-start.ipynb", "glossary.ipynb"), "a link to the start page"),
        (replace(0, "**Time:**", "Time:"), "the time it takes"),
        (replace(0, "- three"), "goals"),
        (replace(0, "?"), "a question"),
        (put(1, "1"), "lab.begin"),
        (put(3, "1"), "a widget"),
        (lambda cells: [put(n, "x")(cells) for n in range(2, 26, 2)], "a picture"),
        (lambda cells: [put(n, "x")(cells) for n in range(2, 26, 2)], "guesses"),
        (put(-2, "1"), "a quiz"),
        (replace(-3, "- ☑ c"), "a recap"),
        (replace(-1, "#digest"), "new words"),
        (replace(-1, "[next](00-start.ipynb)"), "a link onward"),
    ],
)
def test_each_fault_is_named(found: Callable[..., list[str]], change: Change, said: str) -> None:
    problems = found(change)
    assert any(said in problem for problem in problems), problems


def test_every_step_of_the_lecture_and_beyond_is_done_in_both_languages() -> None:
    for lang in notebooks.LANGUAGES:
        done = {
            tag
            for path in (ROOT / "notebooks" / lang).glob("*.ipynb")
            for cell in notebooks.read(path)["cells"]
            if cell["cell_type"] == "code" and cell["execution_count"]
            for tag in cell["metadata"].get("tags", ())
        }
        assert lint.STEPS - done == set()


def test_every_lesson_is_there_in_both_languages() -> None:
    names = [f"{lesson.name}.ipynb" for lesson in outline.lessons()]
    assert sorted(names) == notebooks.lessons()


def test_nothing_is_only_imagined() -> None:
    for path in sorted((ROOT / "notebooks").glob("??/*.ipynb")):
        for cell in notebooks.read(path)["cells"]:
            if cell["cell_type"] == "markdown":
                said = cell["source"].lower()
                assert "imagine" not in said and "কল্পনা কর" not in said, (path, cell["id"])
