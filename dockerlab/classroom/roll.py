"""The list of a class's names, as an instructor has it: a text file, or a CSV's first column."""

from __future__ import annotations

import codecs
import csv
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from dockerlab.errors import DockerlabError, why
from dockerlab.i18n import _

_MOST, _LONGEST = 1000, 100  # names, and characters of one
_LARGEST = 1024 * 1024  # bytes
_HEADINGS = {"name", "names", "student", "learner", "full name", "নাম", "শিক্ষার্থী"}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class BadRoll(DockerlabError):
    """The file at `path` is no list of names; `reason` is in the reader's language."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(str(path), reason)
        self.path, self.reason = path, reason

    def message(self) -> str:
        return _(
            "{path} is no list of names: {reason}. It needs one name a line, in UTF-8; of a CSV "
            "file the first column counts."
        ).format(path=self.path, reason=self.reason)


def read(path: Path) -> list[str]:
    """The names in the file, each once; BadRoll if it is something else."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        reason = _("there is no such file") if isinstance(error, FileNotFoundError) else ""
        raise BadRoll(path, reason or why(error.errno)) from None
    if len(content) > _LARGEST:
        raise BadRoll(path, _("it is too large"))
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise BadRoll(path, _("it is not text in UTF-8")) from None
    first = [_first(line) for line in text.splitlines()]
    if first and first[0].casefold() in _HEADINGS:
        first[0] = ""
    for number, name in enumerate(first, 1):
        if not name.isprintable() or len(name) > _LONGEST:
            raise BadRoll(path, _("line {number} is no name").format(number=number))
    found = unique(first)
    if not found:
        raise BadRoll(path, _("there is no name in it"))
    if len(found) > _MOST:
        raise BadRoll(path, _("it has more than {count} names").format(count=_MOST))
    return found


def unique(names: Iterable[str]) -> list[str]:
    """Each name once, in their order, spelled in one way; empty ones are left out."""
    return list(dict.fromkeys(filter(None, map(tidy, names))))


def tidy(name: str) -> str:
    """A name without needless spaces, its letters composed as most programs write them."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _first(line: str) -> str:
    """The first column, whichever mark the program puts between two."""
    mark = next((each for each in "\t;," if each in line), ",")
    row = next(csv.reader([line[: 2 * _LONGEST]], delimiter=mark), None)
    return tidy(row[0]) if row else ""
