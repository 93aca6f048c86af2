"""What a lesson must be to be read with pleasure: how long, in what order, with what in it.

`tools/notebooks.py check` says what is wrong. The rules are the constants below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CELLS = range(30, 46)  # in a numbered lesson
CODE_LINES = 5  # in a code cell
CODE_RUN = 3  # code cells in a row, a check included
WORDS = 90  # in a prose cell, tables and pictures not counted; the first one says more
EXERCISES = range(3, 6)
BOXES = 3  # goals that the recap ticks, at least
START = "00-start"
LISTS = ("glossary", "troubleshooting")  # to look things up: as long as they must be
STEPS = {f"L{n}" for n in range(1, 16)} | {f"B{n}" for n in range(1, 9)}
WIDGETS = re.compile(
    r"(?m)^lab\.(name|registry|requests|login|wire|push|pull|explain|progress|second_host)\("
    r"|^lab$|^host2$"
)

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"(?m)^(#{1,6}) +(.+?)\s*$")
_FENCE = re.compile(r"(?ms)^```.*?^```")

Cell = dict[str, Any]


def problems(path: Path, cells: list[Cell]) -> Iterator[str]:
    """What is wrong with one notebook, one sentence each."""
    yield from _headings(cells)
    yield from _links(path, cells)
    yield from _lengths(cells, path.stem)
    if path.stem not in (START, *LISTS):
        yield from _parts(cells, path)


def _prose(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell["cell_type"] == "markdown"]


def _code(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell["cell_type"] == "code"]


def headings(cells: list[Cell]) -> list[tuple[int, str]]:
    """The level and the text of each heading, in order."""
    found = []
    for cell in _prose(cells):
        for marks, text in _HEADING.findall(_FENCE.sub("", cell["source"])):
            found.append((len(marks), text))
    return found


def _headings(cells: list[Cell]) -> Iterator[str]:
    levels = [level for level, _ in headings(cells)]
    if not levels or levels[0] != 1 or levels.count(1) != 1:
        yield "its first heading, and no other, should be the title"
    for before, after in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            yield f"a heading of level {after} follows one of level {before}"


def _links(path: Path, cells: list[Cell]) -> Iterator[str]:
    for cell in _prose(cells):
        for picture, text, target in _LINK.findall(cell["source"]):
            yield from (f"cell {cell['id']}: {said}" for said in _link(path, picture, text, target))


def _link(path: Path, picture: str, text: str, target: str) -> Iterator[str]:
    lang = path.parent.name
    if picture and len(text) < 30:
        yield f"the picture {target} needs words that tell all it shows"
    if picture and not target.endswith(f".{lang}.svg"):
        yield f"the picture {target} is not in its language"
    if "://" in target:
        if not target.startswith("https://"):
            yield f"the link {target} should begin with https://"
        return
    name, _, anchor = target.partition("#")
    there = (path.parent / name).resolve() if name else path.resolve()
    if not there.is_file():
        yield f"the link {target} leads nowhere"
    elif anchor and there.suffix == ".ipynb" and anchor not in anchors(there):
        yield f"the link {target} leads to no heading"


def anchors(path: Path) -> set[str]:
    """What a link may name after # in a notebook: its headings, as JupyterLab calls them."""
    from notebooks import read

    return {text.replace(" ", "-") for _, text in headings(read(path)["cells"])}


def _lengths(cells: list[Cell], name: str) -> Iterator[str]:
    run = 0
    for number, cell in enumerate(cells):
        run = run + 1 if cell["cell_type"] == "code" else 0
        if run == CODE_RUN + 1:
            yield f"cell {cell['id']}: more than {CODE_RUN} code cells in a row"
        lines = len(cell["source"].splitlines())
        if cell["cell_type"] == "code" and lines > CODE_LINES:
            yield f"cell {cell['id']}: {lines} lines of code, at most {CODE_LINES}"
        if cell["cell_type"] == "markdown" and number and name not in LISTS:
            words = len(_plain(cell["source"]).split())
            if words > WORDS:
                yield f"cell {cell['id']}: {words} words, at most {WORDS}"


def _plain(source: str) -> str:
    text = _LINK.sub(lambda m: "" if m[1] else m[2], source)
    return "\n".join(line for line in text.splitlines() if not line.startswith("|"))


def _parts(cells: list[Cell], path: Path) -> Iterator[str]:
    """What belongs to every lesson."""
    if len(cells) not in CELLS:
        yield f"it has {len(cells)} cells; {CELLS.start} to {CELLS.stop - 1} are wanted"
    exercises = sum("exercise" in cell["metadata"].get("tags", ()) for cell in cells)
    if exercises not in EXERCISES:
        yield f"it has {exercises} exercises; {EXERCISES.start} to {EXERCISES.stop - 1} are wanted"
    text = "\n".join(cell["source"] for cell in _prose(cells))
    code = "\n".join(cell["source"] for cell in _code(cells))
    other = {"bn": "en", "en": "bn"}[path.parent.name]
    guess = {"bn": "**আন্দাজ করো", "en": "**Guess"}[path.parent.name]
    wanted = {
        "a link to its twin": f"(../{other}/{path.name})" in cells[0]["source"],
        "a link to the start page": f"({START}.ipynb)" in cells[0]["source"],
        "the time it takes": re.search(r"\*\*(Time|সময়):\*\*", cells[0]["source"]),
        "goals in its first cell": cells[0]["source"].count("\n- ") >= BOXES,
        "a question in its first cell": "?" in cells[0]["source"],
        "lab.begin in its first code cell": f'lab.begin("{path.stem}")'
        in _code(cells)[0]["source"],
        "a picture": re.search(r"!\[|lab\.picture\(", text + code),
        "a widget": WIDGETS.search(code),
        "guesses": guess in text or guess.replace("আন্দাজ", "আগে আন্দাজ") in text,
        "a quiz": f'lab.quiz("{path.stem}")' in code,
        "a recap with ticks": cells[-3]["source"].count("☑") >= BOXES,
        "new words in its last cell": "(glossary.ipynb#" in cells[-1]["source"],
        "a link onward in its last cell": len(re.findall(r"\]\((?!glossary)", cells[-1]["source"])),
    }
    yield from (f"it lacks {part}" for part, found in wanted.items() if not found)
