"""The lessons are in step, executed, and what the tool says is wrong really is."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402


def cell(kind: str, id: str, source: str, **metadata: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": id, "metadata": metadata, "source": source}
    return made | ({"execution_count": 1, "outputs": []} if kind == "code" else {})


@pytest.fixture
def lesson(tmp_path: Path) -> Callable[..., Path]:
    """Writes twins: the cells in Bangla, and the same with changes in English."""

    def make(**changes: Any) -> Path:
        for lang, prose in (("bn", "# নাম"), ("en", "# Names")):
            cells = [
                cell("markdown", "a", prose),
                cell("code", "b", "1 + 1", tags=["L2"]),
                cell("code", "c", "# …", tags=["exercise"], dockerlab={"solution": "2"}),
            ]
            for key, value in changes.items() if lang == "en" else ():
                index, field = "abc".index(key[0]), key[2:]
                cells[index][field] = value
            kernel = {"kernelspec": notebooks.KERNEL, "language_info": notebooks.LANGUAGE}
            whole: dict[str, Any] = {"metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
            (tmp_path / lang).mkdir()
            whole["cells"] = cells
            notebooks.write(tmp_path / lang / "00-start.ipynb", whole)
        return tmp_path

    return make


def test_the_lessons_are_in_step_and_executed() -> None:
    assert list(notebooks.problems()) == []
    assert {"00-start.ipynb", "02-image-names.ipynb"} <= set(notebooks.lessons())


def test_twins_that_are_right_have_no_problems(lesson: Callable[..., Path]) -> None:
    assert list(notebooks.problems(lesson())) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"b_source": "1 + 2"}, "code differs"),
        ({"a_source": "# নাম"}, "prose is the same"),
        ({"b_id": "z"}, "cells differ"),
        ({"b_metadata": {"tags": ["L3"]}}, "cells differ"),
        ({"b_metadata": {"tags": ["fun"]}}, "the tag fun means nothing"),
        ({"b_execution_count": None}, "never executed"),
        ({"b_outputs": [{"output_type": "error"}]}, "should not have"),
        ({"b_metadata": {"tags": ["raises-exception"]}}, "should have raised"),
        ({"c_metadata": {"tags": ["exercise"]}}, "needs a solution"),
        ({"b_id": "a"}, "not unique"),
    ],
)
def test_what_is_wrong_is_named(
    lesson: Callable[..., Path], changes: dict[str, Any], problem: str
) -> None:
    assert any(problem in found for found in notebooks.problems(lesson(**changes)))


def test_another_kernel_is_named(lesson: Callable[..., Path]) -> None:
    path = lesson() / "bn" / "00-start.ipynb"
    changed = notebooks.read(path)
    changed["metadata"]["language_info"] = {"name": "python"}
    notebooks.write(path, changed)
    assert [found.partition(": ")[2] for found in notebooks.problems(path.parent.parent)] == [
        "its metadata are not those of the plain Python 3 kernel"
    ]


def test_a_lesson_without_a_twin_is_named(lesson: Callable[..., Path]) -> None:
    root = lesson()
    (root / "en" / "00-start.ipynb").unlink()
    assert list(notebooks.problems(root)) == ["00-start.ipynb: there is no twin in en"]


def test_sync_brings_code_and_keeps_prose(lesson: Callable[..., Path]) -> None:
    root = lesson(b_source="1 + 2", b_metadata={})
    assert notebooks.sync("bn", root) == ["00-start.ipynb"]
    twin = notebooks.read(root / "en" / "00-start.ipynb")["cells"]
    assert [c["source"] for c in twin] == ["# Names", "1 + 1", "# …"]
    assert twin[1]["metadata"] == {"tags": ["L2"]}
    assert twin[1]["execution_count"] is None


def test_executing_twice_gives_the_same_bytes(lesson: Callable[..., Path], tmp_path: Path) -> None:
    path = lesson(b_source="print('a'); print('b', flush=True); 1 + 1") / "en" / "00-start.ipynb"
    first = notebooks.normalised(notebooks.execute(path, tmp_path / "home1"))
    notebooks.write(path, first)
    second = notebooks.normalised(notebooks.execute(path, tmp_path / "home2"))
    assert json.dumps(first) == json.dumps(second)
    assert [o["output_type"] for o in first["cells"][1]["outputs"]] == ["stream", "execute_result"]
