"""Make the glossary: `python tools/glossary.py` writes notebooks/{bn,en}/glossary.ipynb.

The words are in dockerlab/course/glossary.yaml. `--check` only says which files are not what they
make. Outputs are kept; `tools/notebooks.py run` makes them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
import notebooks  # noqa: E402
from dockerlab import i18n  # noqa: E402
from dockerlab.course.data import load  # noqa: E402
from dockerlab.course.glossary import FILE, Theme, Word, themes, words  # noqa: E402
from dockerlab.course.outline import lessons  # noqa: E402

LANGUAGES = i18n.LANGUAGES
CODE = '%load_ext dockerlab\nfrom dockerlab import lab\nlab.word("digest")'
Cell = dict[str, Any]


def make(lang: str, path: Path) -> notebooks.Notebook:
    """The glossary in a language; the outputs of its code are those in the file at `path`."""
    i18n.choose(lang)
    cells = [_prose("title", _title(lang)), _code(path)]
    for theme in themes():
        cells.append(_prose(f"theme-{theme.id}", f"## {theme.titles[lang]}"))
        cells += [_prose(word.id, _entry(word, lang)) for word in theme.words]
    metadata = {"kernelspec": notebooks.KERNEL, "language_info": notebooks.LANGUAGE}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _title(lang: str) -> str:
    listed = " · ".join(f"[{each.titles[lang]}](#{anchor(each, lang)})" for each in themes())
    twin = next(code for code in LANGUAGES if code != lang)
    links = f"[{LANGUAGES[twin]}](../{twin}/{FILE}) · [{said('start', lang)}](00-start.ipynb)"
    opening = said("opening", lang).format(count=i18n.digits(len(words())), themes=listed)
    return f"{links}\n\n{opening}"


def said(key: str, lang: str) -> str:
    """What the page says in a language."""
    return str(load("glossary.yaml")["page"][key][lang])


def anchor(theme: Theme, lang: str) -> str:
    """What a link to the heading of a theme names, in JupyterLab."""
    return theme.titles[lang].replace(" ", "-")


def _entry(word: Word, lang: str) -> str:
    """The word in both languages, that of the notebook first, and where to read on."""
    order = sorted(LANGUAGES, key=lambda code: code != lang)
    titles = {lesson.name: lesson.title for lesson in lessons()}
    see = ", ".join(f"[{words()[id].texts[lang]}](#{id})" for id in word.see)
    return "\n".join(
        [
            f"### {word.id}",
            "",
            _row(word.texts[code] for code in order),
            "|:---|:---|",
            _row(word.means[code] for code in order),
            "",
            f"**{said('lesson', lang)}:** [{titles[word.lesson]}]({word.lesson}.ipynb) · "
            f"**{said('see', lang)}:** {see}",
        ]
    )


def _row(texts: Any) -> str:
    return "| " + " | ".join(texts) + " |"


def _prose(id: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def _code(path: Path) -> Cell:
    was: Cell = {}
    if path.exists():
        was = next((c for c in notebooks.read(path)["cells"] if c["source"] == CODE), {})
    run = {key: was.get(key, empty) for key, empty in (("execution_count", None), ("outputs", []))}
    return {"cell_type": "code", "id": "word", "metadata": {}, "source": CODE, **run}


def stale(root: Path = notebooks.ROOT) -> list[str]:
    """The glossaries that are not what the words make."""
    paths = {lang: root / lang / FILE for lang in LANGUAGES}
    return [
        f"{lang}/{FILE}"
        for lang, path in paths.items()
        if not path.exists() or notebooks.read(path) != make(lang, path)
    ]


def main() -> int:
    """Write the notebooks, or with `--check` say which are stale."""
    if "--check" in sys.argv[1:]:
        print(*stale(), sep="\n")
        return 1 if stale() else 0
    for lang in LANGUAGES:
        path = notebooks.ROOT / lang / FILE
        notebooks.write(path, make(lang, path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
