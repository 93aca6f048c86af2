"""What docker's error messages mean: docker's words stay, the learner's language explains them.

The data is `errors.yaml`: for each error one or more patterns (regular expressions, both dialects:
graph drivers and the containerd store) and, in `bn` and `en`, what it means and what to do. Names
captured by a pattern can be used in the texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from dockerlab.course.data import load
from dockerlab.i18n import _, pick
from dockerlab.image.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from dockerlab.course.causes.act import Act


@dataclass(frozen=True)
class Meaning:
    """What an error means, why it came here and what to do, in the learner's language.

    Whatever is not known is empty. `key` is that of the data, `facts` what docker named, `section`
    where the notebook troubleshooting provokes and mends it.
    """

    means: str
    do: str = ""
    why: str = ""
    key: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    section: str = ""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Label and text of all that is known."""
        lines = [
            (_("What it means"), self.means),
            (_("Why here"), self.why),
            (_("What to do"), self.do),
        ]
        return [line for line in lines if line[1]]

    def __str__(self) -> str:
        return "\n".join(f"{label}: {text}" for label, text in self.lines)


@dataclass(frozen=True)
class Explanation:
    """One known error: its key and how it looks, and its texts by language."""

    key: str
    patterns: tuple[re.Pattern[str], ...]
    means: dict[str, str]
    do: dict[str, str]
    practised: bool

    def find(self, text: str) -> re.Match[str] | None:
        """Where docker says so in the text."""
        return next(filter(None, (pattern.search(text) for pattern in self.patterns)), None)


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
    matches = ((known, found) for known in known_errors() if (found := known.find(text)))
    known, found = next(matches, (None, None))
    section = known.key if known and known.practised else ""
    for word in words:
        try:
            Reference.parse(word)
        except InvalidReference as error:
            if error.docker in text and not word.startswith("-"):
                facts = {"name": word, "near": error.suggestion or ""}
                return Meaning(error.reason, error.hint, key="name", facts=facts, section=section)
    if known is None or found is None:
        return None
    facts = {name: value for name, value in found.groupdict().items() if value}
    means, do = (_known(pick(texts), facts) for texts in (known.means, known.do))
    return Meaning(means, do, key=known.key, facts=facts, section=section)


@cache
def known_errors() -> tuple[Explanation, ...]:
    """All errors that the course knows, the most particular first."""
    return tuple(_explanation(key, entry) for key, entry in load("errors.yaml").items())


def _explanation(key: str, entry: dict[str, Any]) -> Explanation:
    patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in entry["says"])
    return Explanation(key, patterns, entry["means"], entry["do"], entry.get("practised", False))


def filled(text: str, facts: Mapping[str, str]) -> str:
    """`text` with each {name} replaced by what is known under it."""
    return re.sub(r"\{(\w+)\}", lambda found: facts.get(found[1], found[0]), text)


def _known(text: str, facts: Mapping[str, str]) -> str:
    return re.sub(r"\{\w+\}", "…", filled(text, facts))
