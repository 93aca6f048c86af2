"""A word of the glossary, in both languages."""

from __future__ import annotations

from dockerlab.course.glossary import FILE, Word, words
from dockerlab.course.outline import lessons
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
    def address(self) -> str:
        """Where the glossary has it."""
        return f"{FILE}#{self.word.id}"

    @property
    def lesson(self) -> tuple[str, str]:
        """The address and the title of the lesson where it is learned."""
        lesson = next(each for each in lessons() if each.name == self.word.lesson)
        return f"{lesson.name}.ipynb", lesson.title

    @property
    def related(self) -> list[tuple[str, str]]:
        """The addresses and names of words to read next."""
        return [(f"{FILE}#{id}", words()[id].texts[language()]) for id in self.word.see]

    def __repr__(self) -> str:
        word = self.word
        lines = [f"{word.texts[code]}: {word.means[code]}" for code in self.languages]
        return "\n".join([*lines, f"{_('Lesson')}: {self.lesson[1]}"])
