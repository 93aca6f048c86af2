"""An image name taken apart: each part in a colour of its own, with what it is called below it."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.i18n import _
from dockerlab.image.grammar import HUB, OFFICIAL, OLD_HUB
from dockerlab.image.reference import Reference
from dockerlab.widgets.html import render

# Each is at least 3:1 against white and against JupyterLab's dark background (WCAG 1.4.11).
_COLOURS = {
    "registry": "#2f80d0",
    "namespace": "#a15fd0",
    "name": "#1f9254",
    "tag": "#c2680c",
    "digest": "#d34a72",
}


@dataclass(frozen=True)
class Part:
    """One part of a name: its text, what it is called, what follows it, and who wrote it."""

    kind: str
    label: str
    text: str
    after: str
    added: bool

    @property
    def colour(self) -> str:
        """The line under the part; never the only thing that tells parts apart."""
        return _COLOURS[self.kind]


def parts(name: Reference) -> list[Part]:
    """The parts in order; their texts, each with what follows it, make up the whole name."""
    typed = _typed(name)
    rows = [
        ("registry", _("registry"), name.registry, "/"),
        ("namespace", _("namespace"), name.namespace, "/"),
        ("name", _("name"), name.name, ":" if name.tag else "@" if name.digest else ""),
        ("tag", _("tag"), name.tag or "", "@" if name.digest else ""),
        ("digest", _("digest"), name.digest or "", ""),
    ]
    return [
        Part(kind, label, text, after, kind not in typed)
        for kind, label, text, after in rows
        if text
    ]


def html(name: Reference) -> str:
    """`name` as a notebook shows it; without styles, a list of terms and their values."""
    return render("name", name=str(name), parts=parts(name))


def _typed(name: Reference) -> set[str]:
    """The parts that the learner wrote; docker added the others."""
    written = name.text or str(name)
    first = written.partition("/")[0]
    typed = {"name", "digest"}
    if first in (name.registry, OLD_HUB):
        typed.add("registry")
        written = written[len(first) + 1 :]
    if name.namespace != OFFICIAL[:-1] or name.registry != HUB or written.startswith(OFFICIAL):
        typed.add("namespace")
    if name.tag and f"{name.name}:{name.tag}" in written:
        typed.add("tag")
    return typed
