"""The pictures are what their templates make, and each lesson shows them with their alt text."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import pictures  # noqa: E402

IMAGE = re.compile(r"!\[([^\]]*)\]\(\.\./pictures/([\w-]+)\.(\w+)\.svg\)")


def shown() -> list[tuple[str, str, str, str]]:
    """Folder language, alt text, name and picture language of each picture in the lessons."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("??/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                found += [(path.parent.name, *match) for match in IMAGE.findall(cell.source)]
    return found


def test_files_are_up_to_date() -> None:
    assert pictures.stale() == []


def test_every_picture_is_well_formed_and_labelled() -> None:
    for name, svg in pictures.draw().items():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img", name
        assert len(root.findtext("{http://www.w3.org/2000/svg}title") or "") > 40, name


def test_lessons_show_each_picture_in_their_language_with_its_alt_text() -> None:
    words = pictures.words()
    assert {name for _, _, name, _ in shown()} == set(words)
    for folder, alt, name, language in shown():
        assert language == folder
        assert alt == words[name]["alt"][language]
