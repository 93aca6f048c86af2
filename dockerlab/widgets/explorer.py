"""The name explorer: type a name, and see its parts, where it leads, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.i18n import _, digits
from dockerlab.image import digest, userinfo
from dockerlab.image.mistake import visible
from dockerlab.image.reference import InvalidReference, Reference
from dockerlab.widgets import sense
from dockerlab.widgets.name import Part, parts
from dockerlab.widgets.sense import Pair, Sense
from dockerlab.widgets.view import View

LIMIT = 1000  # characters; a name with a long registry, a tag and a digest has about 700
_LOOKED_AT = 20 * LIMIT  # a password longer than what is shown is found, too

EXAMPLES = (
    "nginx",
    "team/app:1.0",
    "localhost:5000/my-image",
    "192.168.56.1:5000/my-image",
    "quay.io/team/app:v2",
    f"nginx@{digest.of(b'')}",
    "My-Image",
    "http://localhost:5000/x",
)


@dataclass(frozen=True)
class Typed:
    """What stands in one field, without a password, and what docker makes of it."""

    text: str
    changed: bool  # it is not what was typed: the field must follow
    name: Reference | None = None
    mistake: InvalidReference | None = None

    @classmethod
    def read(cls, raw: str) -> Typed:
        """Judge what was typed."""
        text = userinfo.hide(raw[:_LOOKED_AT])[:LIMIT]
        try:
            return cls(text, text != raw, name=Reference.parse(text))
        except InvalidReference as mistake:
            return cls(text, text != raw, mistake=mistake)

    @property
    def cut(self) -> str:
        """What is said if only the beginning was taken."""
        said = _("That was too long: only its first {count} characters are here.")
        return said.format(count=digits(LIMIT)) if self.changed and len(self.text) >= LIMIT else ""

    @property
    def parts(self) -> list[Part]:
        """The parts of a valid name."""
        return parts(self.name) if self.name else []

    @property
    def senses(self) -> list[Sense]:
        """What each kind of part means in a valid name."""
        return sense.senses(self.name) if self.name else []

    @property
    def summary(self) -> str:
        """In one sentence: where the name leads, or what is wrong."""
        if self.name:
            return _("Docker would pull it from: {place}.").format(place=sense.where(self.name))
        return self.mistake.reason if self.mistake else ""

    @property
    def torn(self) -> tuple[str, str, str]:
        """What stands before the mistake, the mistake, and what comes after it."""
        wrong = self.mistake
        if wrong is None:
            return self.text, "", ""
        end = wrong.position + len(wrong.part)
        return self.text[: wrong.position], visible(wrong.part), self.text[end:]

    @property
    def at(self) -> str:
        """Where the mistake is, in words."""
        wrong = self.mistake
        said = _("The mistake is at character {number}.")
        return said.format(number=digits(wrong.position + 1)) if wrong else ""

    @property
    def lines(self) -> list[str]:
        """All of this in plain text."""
        if self.name:
            meanings = [f"  {each.label}: {each.meaning}" for each in self.senses]
            forms = [f"{_('Full form')}: {self.name}", f"{_('Short form')}: {self.name.familiar}"]
            return [self.text, *meanings, self.summary, *forms, *filter(None, [self.cut])]
        return [*filter(None, [self.text, *self._wrong(), self.cut])]

    def _wrong(self) -> list[str]:
        if self.mistake is None or not self.text:
            return [self.summary]
        before, part, _after = self.torn
        mark = " " * len(before) + "▲" * len(part) if len(before + part) < 80 else ""
        docker = f"{_('Docker says:')} {self.mistake.docker}"
        return [mark, self.summary, self.at, docker, self.mistake.hint]


class NameExplorer(View):
    """A name taken apart while it is typed, and a second one beside it if wanted."""

    template = "explorer"
    examples = EXAMPLES

    def __init__(self, text: str = "", other: str = "") -> None:
        self.first, self.second = Typed.read(text), Typed.read(other)
        self.comparing = bool(other)
        self.touched = "first"  # the field that the learner used last

    def on_first(self, value: str) -> None:
        """Take what stands in the first field."""
        self.first, self.touched = Typed.read(str(value)), "first"

    def on_second(self, value: str) -> None:
        """Take what stands in the second field."""
        self.second, self.touched = Typed.read(str(value)), "second"

    def on_compare(self, _value: object) -> None:
        """Open the second field, or close it."""
        self.comparing = not self.comparing
        self.touched = "second" if self.comparing else "first"

    @property
    def pairs(self) -> list[Pair]:
        """The parts of both names, if there are two."""
        first, second = self.first.name, self.second.name
        return sense.pairs(first, second) if self.comparing and first and second else []

    @property
    def verdict(self) -> str:
        """Whether both are one name, in the learner's language."""
        different = [pair.label for pair in self.pairs if not pair.same]
        if different:
            said = _("Two different names; what differs: {parts}.")
            return said.format(parts=", ".join(different))
        return _("One and the same image name: Docker reads both as {name}.").format(
            name=self.first.name
        )

    def __repr__(self) -> str:
        lines = self.first.lines
        if self.comparing:
            lines = [*lines, "", *self.second.lines]
        return "\n".join([*lines, "", self.verdict] if self.pairs else lines)
