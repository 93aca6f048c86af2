"""A word of the glossary, in both languages."""

from __future__ import annotations

from dockerlab.course.glossary import Word, find, words
from dockerlab.course.outline import Lesson, lessons
from dockerlab.i18n import LANGUAGES, _, language
from dockerlab.widgets.view import View


class WordView(View):
    """What a word is called and what it means, the learner's own language first."""

    template = "word"

    def __init__(self, word: Word) -> None:
        self.word = word

    @property
    def languages(self) -> list[str]:
        """The codes of both languages."""
        return sorted(LANGUAGES, key=lambda code: code != language())

    @property
    def lesson(self) -> Lesson:
        """Where it is learned."""
        return next(each for each in lessons() if each.name == self.word.lesson)

    @property
    def related(self) -> list[tuple[str, str]]:
        """The ids and names of words to read next."""
        return [(id, words()[id].texts[language()]) for id in self.word.see]

    def on_look(self, id: str) -> None:
        """Show another word instead."""
        self.word = find(str(id))

    def __repr__(self) -> str:
        lines = [f"{self.word.texts[code]}: {self.word.means[code]}" for code in self.languages]
        return "\n".join([*lines, f"{_('Lesson')}: {self.lesson.title}"])
