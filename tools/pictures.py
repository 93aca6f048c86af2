"""Draw the lessons' pictures: `python tools/pictures.py` writes notebooks/pictures/NAME.LANG.svg.

Templates and words are in dockerlab/widgets/pictures/. `--check` only says which files are not
what they make.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from dockerlab.i18n import LANGUAGES  # noqa: E402
from dockerlab.widgets import picture  # noqa: E402

TARGET = ROOT / "notebooks" / "pictures"


def draw() -> dict[str, str]:
    """File name -> SVG, for every picture in both languages."""
    return {
        f"{name}.{lang}.svg": picture.draw(name, lang)
        for name in picture.words()
        for lang in LANGUAGES
    }


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
