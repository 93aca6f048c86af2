"""Every exercise can be solved: its solution, filled in, turns its check green, and only then."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402

LESSONS = sorted((ROOT / "notebooks").glob("??/*.ipynb"))
# What takes a kernel is done in one language, as the twins' code is the same.
IN_BANGLA, IN_ENGLISH = (
    [path for path in LESSONS if path.parent.name == lang] for lang in notebooks.LANGUAGES
)
Cell = dict[str, Any]


@cache
def as_committed(path: Path) -> list[Cell]:
    """The cells of a lesson."""
    cells: list[Cell] = notebooks.read(path)["cells"]
    return cells


def shown(cell: Cell) -> str:
    """What a cell's last value shows, as text."""
    results = [each for each in cell["outputs"] if each["output_type"] == "execute_result"]
    return "".join("".join(each["data"]["text/plain"]) for each in results)


def checks(cells: list[Cell]) -> Iterator[tuple[bool, Cell]]:
    """The cells that check something, and whether they check an exercise."""
    exercise = False
    for cell in cells:
        exercise = exercise or "exercise" in cell["metadata"].get("tags", ())
        if cell["cell_type"] == "code" and "lab.check(" in cell["source"]:
            yield exercise, cell
            exercise = False


def name(path: Path) -> str:
    """`en/02-image-names`."""
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_every_exercise_is_checked_and_left_to_the_learner(path: Path) -> None:
    cells = as_committed(path)
    exercises = [cell for cell in cells if "exercise" in cell["metadata"].get("tags", ())]
    checked = [cell for exercise, cell in checks(cells) if exercise]
    assert len(checked) == len(exercises)
    for cell in exercises:
        assert cell["source"] != cell["metadata"]["dockerlab"]["solution"]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_unsolved_exercises_show_a_hint_and_all_else_is_green(path: Path) -> None:
    for exercise, cell in checks(as_committed(path)):
        said = shown(cell)
        assert said.startswith("✘ " if exercise else "✔ "), (cell["source"], said)
        assert len(said) > 15


@pytest.mark.parametrize("path", IN_BANGLA, ids=name)
def test_solved_exercises_are_green(path: Path, tmp_path: Path) -> None:
    solved = notebooks.execute(path, tmp_path, solve=True)["cells"]
    for _, cell in checks(solved):
        assert shown(cell).startswith("✔ "), (cell["source"], shown(cell))
    for cell in solved:
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error", output["evalue"]


@pytest.mark.parametrize("path", IN_ENGLISH, ids=name)
def test_cells_in_the_wrong_order_end_in_no_riddle(path: Path, tmp_path: Path) -> None:
    """The first cell, then all others backwards: nothing breaks, and Python's errors are told."""
    lesson = notebooks.read(path)
    first, *rest = [cell for cell in lesson["cells"] if cell["cell_type"] == "code"]
    for cell in rest:
        cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), "raises-exception"]
    backwards = tmp_path / path.parent.name / path.name  # the folder tells the language
    backwards.parent.mkdir()
    notebooks.write(backwards, {**lesson, "cells": [first, *reversed(rest)]})
    for cell in notebooks.execute(backwards, tmp_path / "lab")["cells"]:
        errors = [one["ename"] for one in cell["outputs"] if one["output_type"] == "error"]
        if errors:
            assert errors == ["NameError"], cell["source"]
            assert cell["outputs"][-1]["output_type"] == "display_data", cell["source"]
