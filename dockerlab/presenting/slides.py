"""A lesson as slides with all that its cells have shown: one file, for a machine with nothing.

prose                          begins a slide, and so does each heading in it
code                           follows on the prose before it; on outputs, it begins one too
what it shows, and all after   is hidden until it is asked for: the class guesses first
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dockerlab import workspace
from dockerlab.errors import CannotWrite
from dockerlab.i18n import language
from dockerlab.presenting.html import code, colours, markdown, printed, render
from dockerlab.presenting.plan import Plan, Step, cells, plan

_HEADING = re.compile(r"^(?=#{1,4} )", re.M)
_FENCED = re.compile(r"(^```.*?^```)", re.M | re.S)
_ELSEWHERE = re.compile(r"<a(?=[\s>])(?![^>]*\shref=\"https?:)[^>]*>(.*?)</a>", re.S)
_PICTURE = re.compile(r'(<img[^>]*\ssrc=")\.\./(pictures/[^"]+)')


@dataclass
class Slide:
    """What is seen at once: HTML that is there, and HTML that comes when it is asked for."""

    title: str
    headed: bool  # whether the title stands in `shown`
    shown: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, html: str, *, later: bool = False) -> None:
        """Put something at the end."""
        (self.later if later or self.later else self.shown).append(html)


def write(name: str, path: Path | None = None) -> Path:
    """Write the slides of a lesson into a file, at once; CannotWrite if that cannot be."""
    stem = workspace.lesson(name).removesuffix(".ipynb")
    path = path or Path(f"{stem}.{language()}.html")
    content = html(plan(stem, language()))
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(content, "utf-8")
        partial.replace(path)
    except OSError as error:
        raise CannotWrite(path, error.errno) from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def html(lesson: Plan) -> str:
    """The whole page."""
    page = render("slides", lesson=lesson, slides=slides(lesson), colours=colours)
    return _PICTURE.sub(_embedded, _ELSEWHERE.sub(r"\1", page))


def slides(lesson: Plan) -> list[Slide]:
    """The slides of a lesson, in order."""
    found: list[Slide] = []
    for step, cell in zip(lesson.steps, cells(lesson.place), strict=True):
        if step.kind == "markdown":
            _prose(step, found)
        else:
            if found[-1].later:
                found.append(Slide(found[-1].title, False))
            found[-1].add(code(step.text))
            for html in filter(None, map(_output, cell["outputs"])):
                found[-1].add(html, later=True)
        _note(step, found[-1])
    return found


def _prose(step: Step, slides: list[Slide]) -> None:
    """Its pieces, heading by heading; a remark before a heading belongs to what was there."""
    before, *headed = _pieces(step.text)
    if not slides:
        before = ""  # only links to other notebooks
    if before.strip() and headed:
        slides[-1].add(markdown(before))
    elif before.strip():
        slides.append(Slide(slides[-1].title, False, [markdown(before)]))
    for piece in headed:
        title = re.sub(r"^#+ |[*`]", "", piece.partition("\n")[0])
        slides.append(Slide(title, True, [markdown(re.sub(r"^# ", "## ", piece))]))


def _pieces(text: str) -> list[str]:
    """What stands before the first heading, and each heading with what follows."""
    pieces = [""]
    for number, part in enumerate(_FENCED.split(text)):
        first, *rest = [part] if number % 2 else _HEADING.split(part)
        pieces[-1] += first
        pieces += rest
    return pieces


def _note(step: Step, slide: Slide) -> None:
    """What the speaker has to say, once, and the solution of an exercise."""
    if step.note and markdown(step.note) not in slide.notes:
        slide.notes.append(markdown(step.note))
    if step.solution:
        slide.notes.append(code(step.solution))


def _output(output: dict[str, Any]) -> str:
    """What a cell has shown, in the richest form that needs no kernel."""
    data = output.get("data", {})
    if "text/html" in data:
        shown = _ELSEWHERE.sub("", "".join(data["text/html"]))
        return f'<div class="output">{shown}</div>'
    text = output.get("text") or data.get("text/plain") or output.get("traceback") or ""
    said = "".join(text).rstrip()
    return f'<pre class="output" translate="no">{printed(said)}</pre>' if said else ""


def _embedded(found: re.Match[str]) -> str:
    """The picture itself, instead of where it is."""
    picture = workspace.course() / PurePosixPath(found[2])
    return f"{found[1]}data:image/svg+xml;base64,{base64.b64encode(picture.read_bytes()).decode()}"
