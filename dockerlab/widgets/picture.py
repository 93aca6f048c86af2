"""The course's pictures: SVG from templates, in the learner's language, each told in words too."""

from __future__ import annotations

import base64
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _, language
from dockerlab.widgets.view import View

if TYPE_CHECKING:
    from jinja2 import Environment

SOURCES = Path(__file__).parent / "pictures"


class UnknownPicture(DockerlabError):
    """There is no picture called `name`; `near` is one that there is, or all of them."""

    def __init__(self, name: str, near: list[str]) -> None:
        super().__init__(name, near)
        self.name, self.near = name, near

    def message(self) -> str:
        """What happened, in the learner's language."""
        said = (
            _("There is no picture called “{name}”. Did you mean “{near}”?")
            if len(self.near) == 1
            else _("There is no picture called “{name}”. There are: {near}.")
        )
        return said.format(name=self.name, near=", ".join(self.near))


class PictureView(View):
    """A picture, the same with a kernel and without; where it cannot be shown, its words."""

    template = "picture"

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def alt(self) -> str:
        """All that the picture tells, in words."""
        return words()[self._name]["alt"][language()]

    @property
    def address(self) -> str:
        """The picture itself, as an address that a page can show."""
        svg = draw(self._name, language()).encode()
        return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"

    def __repr__(self) -> str:
        return self.alt


def look(name: str) -> PictureView:
    """The picture called `name`; UnknownPicture if there is none."""
    name, known = str(name), sorted(words())
    if name not in known:
        near = [each for each in known if name in each] or get_close_matches(name, known, n=1)
        raise UnknownPicture(name, near or known)
    return PictureView(name)


@cache
def words() -> dict[str, dict[str, dict[str, str]]]:
    """Picture name -> word key -> language -> text; the key `alt` is the text alternative."""
    import yaml

    found: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
        (SOURCES / "words.yaml").read_text("utf-8")
    )
    return found


def draw(name: str, lang: str) -> str:
    """The SVG of a picture in a language."""
    said = {key: text[lang] for key, text in words()[name].items()}
    return _environment().get_template(f"{name}.svg.j2").render(lang=lang, **said)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(SOURCES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
