"""Draw the lessons' pictures: `python tools/pictures.py` writes notebooks/pictures/NAME.LANG.svg.

Each picture is a template in tools/pictures/, its words are in words.yaml. `--check` only says
which files are not what the templates make.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

SOURCES = Path(__file__).parent / "pictures"
TARGET = Path(__file__).parent.parent / "notebooks" / "pictures"


def words() -> dict[str, dict[str, dict[str, str]]]:
    """Picture name -> word key -> language -> text; the key `alt` is the text alternative."""
    return yaml.safe_load((SOURCES / "words.yaml").read_text("utf-8"))


def draw() -> dict[str, str]:
    """File name -> SVG, for every picture in both languages."""
    environment = Environment(
        loader=FileSystemLoader(SOURCES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pictures = {}
    for name, texts in words().items():
        template = environment.get_template(f"{name}.svg.j2")
        for language in ("bn", "en"):
            said = {key: text[language] for key, text in texts.items()}
            pictures[f"{name}.{language}.svg"] = template.render(lang=language, **said)
    return pictures


def stale() -> list[str]:
    """The names of files that are missing, outdated, or made by no template."""
    drawn = draw()
    there = {path.name: path.read_text("utf-8") for path in TARGET.glob("*.svg")}
    return sorted(n for n in drawn.keys() | there.keys() if drawn.get(n) != there.get(n))


def main() -> int:
    """Write the pictures, or with `--check` say which are stale."""
    if "--check" in sys.argv[1:]:
        print(*stale(), sep="\n")
        return 1 if stale() else 0
    TARGET.mkdir(exist_ok=True)
    for name, svg in draw().items():
        (TARGET / name).write_text(svg, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
