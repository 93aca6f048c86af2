"""What each part of a name means, said for this very name; and two names beside each other."""

from __future__ import annotations

from typing import NamedTuple

from dockerlab.i18n import _
from dockerlab.image.grammar import HUB, OFFICIAL
from dockerlab.image.place import OWNERS, place
from dockerlab.image.reference import Reference
from dockerlab.widgets.name import Part, parts

KINDS = ("registry", "namespace", "name", "tag", "digest")


class Sense(NamedTuple):
    """A kind of part, what it is called, and what it means in a name that may not have it."""

    kind: str
    label: str
    colour: str
    text: str
    meaning: str


class Pair(NamedTuple):
    """One kind of part in two names; an empty text where a name has none."""

    label: str
    first: str
    second: str

    @property
    def same(self) -> bool:
        """Whether both names say the same here."""
        return self.first == self.second


def senses(name: Reference) -> list[Sense]:
    """One for each kind of part, in order."""
    there = {part.kind: part for part in parts(name)}
    found = []
    for kind, label, colour in _kinds():
        part = there.get(kind)
        said = _SAYINGS[kind](name, part).format(**_facts(name))
        found.append(Sense(kind, label, colour, part.text if part else "", said))
    return found


def pairs(first: Reference, second: Reference) -> list[Pair]:
    """The parts of two names, beside each other."""
    both = zip(senses(first), senses(second), strict=True)
    return [Pair(one.label, one.text, other.text) for one, other in both]


def where(name: Reference) -> str:
    """The registry that docker would ask, and its port, in the learner's language."""
    kind, host, port = place(name)
    said = {
        "hub": _("Docker Hub, at registry-1.docker.io, port 443"),
        "nowhere": _("nowhere: it names no registry that Docker can ask"),
        "here": _("your own machine, port {port}")
        if port
        else _("your own machine, port 443, and if nobody is there, port 80"),
    }.get(kind) or (
        _("{host}, port {port}") if port else _("{host}, port 443, as no other is written")
    )
    return said.format(host=host, port=port)


def _kinds() -> list[tuple[str, str, str]]:
    every = parts(Reference(HUB, "a/b", "c", "d"))
    return [(part.kind, part.label, part.colour) for part in every]


def _facts(name: Reference) -> dict[str, str]:
    host = place(name).host
    facts = {kind: getattr(name, kind) or "" for kind in KINDS}
    return {**facts, "owner": OWNERS.get(host, ""), "host": host}


def _registry(name: Reference, part: Part | None) -> str:
    kind, host, _port = place(name)
    if kind == "hub":
        if part and part.added:
            return _("None is written, so Docker takes docker.io, that is Docker Hub.")
        return _("docker.io is Docker Hub; Docker takes it even if it is not written.")
    if host in OWNERS:
        return _("{host} is a registry that belongs to {owner}.")
    return {
        "nowhere": _("There is none: what stands first is no address that Docker knows."),
        "here": _("{host} is the machine that you are sitting at: a registry runs on it."),
        "address": _("{host} is the IP address of the machine that the registry runs on."),
        "host": _(
            "{host} is the machine that the registry runs on; a dot, a colon or a capital "
            "letter tells Docker that this is an address."
        ),
    }[kind]


def _namespace(name: Reference, part: Part | None) -> str:
    if part is None:
        return _("None is written, and a registry of your own needs none.")
    if part.added:
        return _("None is written, so Docker takes library: Docker Hub's official images.")
    if name.registry != HUB:
        return _("{namespace} is like a folder in this registry, often a team or a project.")
    if part.text == OFFICIAL[:-1]:
        return _("library is where Docker Hub keeps its official images.")
    return _("{namespace} is an account or an organisation on Docker Hub.")


def _name(name: Reference, part: Part | None) -> str:
    return _("{name} is what the image itself is called.")


def _tag(name: Reference, part: Part | None) -> str:
    if part is None:
        return _("None is written, and none is needed: the digest says which image it is.")
    if name.digest:
        return _("{tag} is only for you to read: the digest decides.")
    if part.added:
        return _("None is written, so Docker takes latest; that need not be the newest image.")
    if part.text == "latest":
        return _("latest is a tag like any other, and need not be the newest image.")
    return _("{tag} is the version that you ask for; a tag can be moved to another image.")


def _digest(name: Reference, part: Part | None) -> str:
    if part is None:
        return _("None is written: the tag decides which image it is.")
    return _("The fingerprint of exactly one image: whatever has another one is refused.")


_SAYINGS = {
    "registry": _registry,
    "namespace": _namespace,
    "name": _name,
    "tag": _tag,
    "digest": _digest,
}
