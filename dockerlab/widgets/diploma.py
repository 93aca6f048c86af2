"""The page at the end of the course: what was achieved, by whom and when, to print and hang up."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from dockerlab.course import capstone
from dockerlab.errors import CannotWrite
from dockerlab.i18n import _, digits
from dockerlab.widgets.html import render

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

FILE = "diploma.html"
LONGEST = 200  # letters of a name that the page has room for
_SIZES = ((24, "short"), (60, "long"), (LONGEST, "longest"))  # of names, by their letters


class DiplomaView:
    """What a cell shows of the page; `written` tells whether it is in the notebook's folder."""

    def __init__(self, name: object, engine: Engine) -> None:
        self.name = _clean(name)
        self.missing = [step.title for step in capstone.look(engine) if not step.once]
        self.written = not self.missing and 0 < len(self.name) <= LONGEST
        if self.written:
            _write(self.page())

    @property
    def text(self) -> str:
        """What became of it, or what is missing, in the learner's language."""
        if self.missing:
            return _("Your page waits for a few steps that were never green:")
        if not self.name:
            return _(
                "All is done! Now write your name between the quotation marks, in any script, as "
                "it should stand on the page, and run this cell again."
            )
        if not self.written:
            said = _("The page has room for a name of {most} letters; this one has {count}.")
            return said.format(most=digits(LONGEST), count=digits(len(self.name)))
        return _(
            "Here is your page, {name}. It lies beside this notebook, and nowhere else:"
        ).format(name=self.name)

    def page(self) -> str:
        """The page itself: one file of HTML, complete in itself, with no script."""
        size = next(size for most, size in _SIZES if len(self.name) <= most)
        achieved = list(capstone.titles().values())
        return render(
            "diploma-page", name=self.name, size=size, day=capstone.finished(), achieved=achieved
        )

    def __repr__(self) -> str:
        lines = [self.text, *(f"○ {title}" for title in self.missing)]
        return "\n".join([*lines, FILE] if self.written else lines)

    def _repr_html_(self) -> str:
        return render("diploma", view=self, file=FILE)


def _clean(name: object) -> str:
    """On one line, without what no page can show; "" if nothing can be seen of it."""
    text = " ".join(("" if name is None else str(name)).split())
    shown = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs", "Cn"))
    return shown if any(unicodedata.category(sign)[0] in "LNPS" for sign in shown) else ""


def _write(page: str) -> None:
    try:
        Path(FILE).write_text(page, "utf-8")
    except OSError as error:
        raise CannotWrite(FILE, error.errno) from None
