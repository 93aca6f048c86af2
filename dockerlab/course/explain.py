"""What docker's error messages mean: docker's words stay, the learner's language explains them.

The data is `errors.yaml`: for each error one or more patterns (regular expressions, both dialects:
graph drivers and the containerd store) and, in `bn` and `en`, what it means and what to do. Names
captured by a pattern can be used in the texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Any, NamedTuple, TextIO

from dockerlab.course.data import load
from dockerlab.i18n import _, pick
from dockerlab.image.reference import InvalidReference, Reference


class Meaning(NamedTuple):
    """What an error means and what to do, in the learner's language; `do` may be empty."""

    means: str
    do: str

    def __str__(self) -> str:
        lines = [(_("What it means"), self.means), (_("What to do"), self.do)]
        return "\n".join(f"{label}: {text}" for label, text in lines if text)


@dataclass(frozen=True)
class Explanation:
    """One known error: its key and how it looks, and its texts by language."""

    key: str
    patterns: tuple[re.Pattern[str], ...]
    means: dict[str, str]
    do: dict[str, str]


class Overheard(StringIO):
    """Passes what docker writes on to `stream` at once, and keeps it to be explained."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def text(self) -> str:
        """All that was written."""
        return self.getvalue()

    def write(self, text: str) -> int:
        self._stream.write(text)
        return super().write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


def explain(text: str, words: Iterable[str] = ()) -> Meaning | None:
    """What the docker error in `text` means and what to do about it, or None if it is unknown.

    If one of the `words` that were typed is the name that docker refuses, the answer is about it.
    """
    for word in words:
        try:
            Reference.parse(word)
        except InvalidReference as error:
            if error.docker in text and not word.startswith("-"):
                return Meaning(error.reason, error.hint)
    for known in known_errors():
        for pattern in known.patterns:
            if found := pattern.search(text):
                facts = {name: value or "…" for name, value in found.groupdict().items()}
                return Meaning(_filled(pick(known.means), facts), _filled(pick(known.do), facts))
    return None


@cache
def known_errors() -> tuple[Explanation, ...]:
    """All errors that the course knows, the most particular first."""
    return tuple(_explanation(key, entry) for key, entry in load("errors.yaml").items())


def _explanation(key: str, entry: dict[str, Any]) -> Explanation:
    patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in entry["says"])
    return Explanation(key, patterns, entry["means"], entry["do"])


def _filled(text: str, facts: dict[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace("{" + name + "}", value)
    return text
