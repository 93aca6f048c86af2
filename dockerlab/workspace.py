"""The learner's own copy of the lessons: kept between runs, updated, never overwritten.

A file that she has not touched follows the course. One that she has changed is hers: a newer
version of it is laid beside, as `NAME.new.ipynb`. A file that she deleted comes back, which is
how to begin a lesson afresh.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from dockerlab.errors import DockerlabError, why
from dockerlab.i18n import _

START = "start.md"
_RECORD = ".dockerlab.json"
_KINDS = ("*.md", "??/*.ipynb", "pictures/*")


class WorkspaceError(DockerlabError):
    """The folder at `path` cannot hold the lessons; `number` is the system's errno."""

    def __init__(self, path: Path, number: int | None) -> None:
        super().__init__(str(path), number)
        self.path, self.number = path, number

    def message(self) -> str:
        """What is wrong with the folder, and what to do."""
        said = _("Your lessons cannot be kept in {path}: {reason}.")
        hint = _("Choose another folder with --dir.")
        return said.format(path=self.path, reason=self._reason()) + " " + hint

    def _reason(self) -> str:
        if self.number == errno.EINVAL:
            return _("that is where the course keeps its own files")
        return why(self.number)


class UnclearLesson(DockerlabError):
    """`name` does not name one lesson; `choices` are those that it may mean."""

    def __init__(self, name: str, choices: list[str]) -> None:
        super().__init__(name, choices)
        self.name, self.choices = name, choices

    def message(self) -> str:
        """Which lessons there are to choose from."""
        said = _("“{name}” is not the name of one lesson. Choose from: {choices}.")
        return said.format(name=self.name, choices=", ".join(self.choices))


@dataclass(frozen=True)
class Workspace:
    """The folder that a learner works in, after it was brought up to date."""

    path: Path
    updated: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)  # newer versions of files she has changed
    ours: list[str] = field(default_factory=list)  # notebooks just as the course made them


def course() -> Path:
    """The course's own files: in the installed package, else in the repository around it."""
    package = Path(__file__).parent
    installed = package / "notebooks"
    return installed if installed.is_dir() else package.parent / "notebooks"


def lessons() -> list[str]:
    """The names of the course's lessons, in order."""
    return sorted({path.stem for path in course().glob("??/*.ipynb")})


def lesson(name: str) -> str:
    """The file name of a lesson, by number, name or a part of it; UnclearLesson if unsure."""
    stems = lessons()
    wanted = name.strip().removesuffix(".ipynb").lower()
    if wanted.isdecimal():
        numbers = {stem: stem.partition("-")[0] for stem in stems}
        found = [s for s, n in numbers.items() if n.isdecimal() and int(n) == int(wanted)]
    else:
        found = [stem for stem in stems if wanted in (stem, stem.partition("-")[2] or stem)]
        found = found or [stem for stem in stems if wanted in stem]
    if len(found) != 1 or not wanted:
        raise UnclearLesson(name, found or get_close_matches(wanted, stems, 3) or stems)
    return f"{found[0]}.ipynb"


def prepare(path: Path, source: Path | None = None) -> Workspace:
    """Bring the lessons in `path` up to date with `source` (the course's own files).

    WorkspaceError if the folder cannot be used.
    """
    path, source = path.expanduser().absolute(), source or course()
    if source.resolve() in (path.resolve(), *path.resolve().parents):
        raise WorkspaceError(path, errno.EINVAL)
    try:
        path.mkdir(parents=True, exist_ok=True)
        record = _Record(path / _RECORD)
        workspace = Workspace(path)
        for name, content in _files(source):
            _bring(workspace, record, name, content)
        record.save()
    except OSError as error:
        raise WorkspaceError(path, error.errno) from None
    return workspace


def _bring(workspace: Workspace, record: _Record, name: str, content: bytes) -> None:
    """One of the course's files into the workspace."""
    version = _digest(content)
    content = for_this_python(content) if name.endswith(".ipynb") else content
    place = name
    if not record.owns(name, content):
        if record.version(name) == version:
            return  # she has changed it, and the course has not since
        record.note(name, version, None)
        place = next(each for each in _beside(name) if record.owns(each, content))
        workspace.beside.append(place)
    if record.current(place) != _digest(content):
        _write(workspace.path / place, content)
        workspace.updated.append(place)
    record.note(place, version, _digest(content))
    if place.endswith(".ipynb"):
        workspace.ours.append(place)


class _Record:
    """What was last copied: for each file the course's version and the digest of the copy."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            kept = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            kept = {}
        self._kept: dict[str, Any] = kept if isinstance(kept, dict) else {}

    def version(self, name: str) -> str | None:
        """The course's version of `name` that the learner was last given."""
        return self._entry(name).get("version")

    def current(self, name: str) -> str | None:
        """The digest of the learner's file now; None if there is none."""
        try:
            return _digest((self.path.parent / name).read_bytes())
        except FileNotFoundError:
            return None

    def owns(self, name: str, content: bytes) -> bool:
        """Whether `name` may become `content`: it is absent, as it was copied, or that already."""
        return self.current(name) in (None, self._entry(name).get("copy"), _digest(content))

    def note(self, name: str, version: str, copy: str | None) -> None:
        """Remember what was copied, or (None) that the learner's own file was left alone."""
        self._kept[name] = {"version": version, "copy": copy}

    def save(self) -> None:
        """Write the record."""
        _write(self.path, json.dumps(self._kept, indent=1, sort_keys=True).encode() + b"\n")

    def _entry(self, name: str) -> dict[str, str]:
        entry = self._kept.get(name)
        return entry if isinstance(entry, dict) else {}


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for kind in _KINDS:
        for path in sorted(root.glob(kind)):
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _beside(name: str) -> Iterator[str]:
    path = PurePosixPath(name)
    yield str(path.with_suffix(f".new{path.suffix}"))
    for number in count(2):
        yield str(path.with_suffix(f".new{number}{path.suffix}"))


def for_this_python(content: bytes) -> bytes:
    """A notebook that names the running Python, or JupyterLab would open it as modified."""
    notebook = json.loads(content)
    notebook["metadata"]["language_info"]["version"] = platform.python_version()
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """At once: nobody ever sees half a file."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
