"""The course's words (`glossary.yaml`): how both languages call each, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from unicodedata import normalize

from dockerlab.course.data import load
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

FILE = "glossary.ipynb"


class UnknownWord(DockerlabError):
    """The glossary has no `name`; `near` is a word that it has, or ""."""

    def __init__(self, name: str, near: str) -> None:
        super().__init__(name, near)
        self.name, self.near = name, near

    def message(self) -> str:
        """What happened, in the learner's language."""
        said = (
            _("The glossary has no “{name}”. Did you mean “{near}”?")
            if self.near
            else _("The glossary has no “{name}”. All its words are in {file}.")
        )
        return said.format(name=self.name, near=self.near, file=FILE)


@dataclass(frozen=True)
class Word:
    """One term; `id` is its anchor in the glossary's notebooks, `see` are the ids of others."""

    id: str
    texts: Mapping[str, str]  # by language
    means: Mapping[str, str]  # by language; commands stand in backticks
    lesson: str
    see: tuple[str, ...]


@dataclass(frozen=True)
class Theme:
    """Words that belong together, in the order in which they are best read."""

    id: str
    titles: Mapping[str, str]
    words: tuple[Word, ...]


@cache
def themes() -> tuple[Theme, ...]:
    """The whole glossary, in order."""
    return tuple(
        Theme(
            id,
            theme["title"],
            tuple(
                Word(key, each["word"], each["means"], each["lesson"], tuple(each["see"]))
                for key, each in theme["words"].items()
            ),
        )
        for id, theme in load("glossary.yaml")["themes"].items()
    )


@cache
def words() -> Mapping[str, Word]:
    """Every word by its id."""
    return {word.id: word for theme in themes() for word in theme.words}


def find(text: str) -> Word:
    """The word that is called so in either language; UnknownWord if there is none."""
    wanted, known = _plain(text), _names()
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1)
        raise UnknownWord(text.strip(), near[0] if near else "")
    return known[wanted]


@cache
def _names() -> Mapping[str, Word]:
    """All that words are called, with and without what stands in brackets."""
    found: dict[str, Word] = {}
    for word in words().values():
        for name in (word.id, *word.texts.values()):
            for form in (name, *re.split(r" \(|\)", name)):
                found.setdefault(_plain(form), word)
    return {name: word for name, word in found.items() if name}


def _plain(text: str) -> str:
    """Spelt in one way: র and its like in one form, small letters, no hyphens."""
    return " ".join(normalize("NFC", text).casefold().replace("-", " ").replace("_", " ").split())
