"""What is wrong with a name that docker refuses: the rule, the part that breaks it, the words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerlab.i18n import _, digits
from dockerlab.image import userinfo
from dockerlab.image.digest import SIZES
from dockerlab.image.grammar import (
    COMPONENT,
    DIGEST,
    DOMAIN,
    IDENTIFIER,
    PATH_LIMIT,
    TAG,
    TAG_LIMIT,
    is_domain,
    split_domain,
)


class Mistake(NamedTuple):
    """`part` of a name, at `position`, breaks `rule`."""

    rule: str
    part: str
    position: int


_ANYWHERE = (
    ("empty", re.compile(r"\A\s*\Z")),
    ("scheme", re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://")),
    ("space", re.compile(r"\s+")),
    ("letters", re.compile(r"[^\x00-\x7f]+")),
)


def find(text: str) -> Mistake:
    """The mistake in a name that is not valid: one that counts anywhere, else the leftmost."""
    if login := userinfo.find(text):
        return Mistake("userinfo", login[0], login.start())
    for rule, pattern in _ANYWHERE:
        if found := pattern.search(text):
            return Mistake(rule, found[0], found.start())
    if IDENTIFIER.fullmatch(text):
        return Mistake("identifier", text, 0)
    return next(_mistakes(text), Mistake("format", text, 0))


def describe(mistake: Mistake) -> str:
    """The rule that is broken, in the learner's language."""
    part = mistake.part if len(mistake.part) <= 60 else mistake.part[:59] + "…"
    part = part if part.strip() and part.isprintable() else visible(part)
    return _rules()[mistake.rule].format(part=part, count=digits(len(mistake.part)))


def visible(text: str) -> str:
    """`text` with a sign for each space, and U+… for each character that cannot be seen."""
    return "".join(
        "␣" if each == " " else each if each.isprintable() else f"U+{ord(each):04X}"
        for each in text
    )


def _mistakes(text: str) -> Iterator[Mistake]:
    name, at, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    start = 0
    if slash and is_domain(first):
        start = len(first) + 1
        if not DOMAIN.fullmatch(first) and not COMPONENT.fullmatch(first):
            yield _in_domain(first)
        if not rest:
            yield Mistake("slash", "/", start - 1)
    path, colon, tag = name[start:].partition(":")
    if not path:
        yield Mistake("nameless", text[start:], start)
    yield from _in_path(path, start)
    if colon:
        yield from _in_tag(tag, start + len(path) + 1)
    if at:
        yield from _in_digest(digest, len(name) + 1)
    if len(split_domain(name)[1].partition(":")[0]) > PATH_LIMIT:
        yield Mistake("too-long", path, start)


def _in_domain(domain: str) -> Mistake:
    host, _colon, port = domain.rpartition(":")
    if port and DOMAIN.fullmatch(host):
        return Mistake("port", port, len(host) + 1)
    return Mistake("domain", domain, 0)


def _in_path(path: str, offset: int) -> Iterator[Mistake]:
    start = 0
    for component in path.split("/"):
        at = offset + start
        if not component:
            yield Mistake("slash", "/", at if path[start : start + 1] else at - 1)
        elif strange := re.search(r"[^A-Za-z0-9._-]+", component):
            yield Mistake("character", strange[0], at + strange.start())
        elif component.lower() != component:
            yield Mistake("uppercase", component, at)
        elif not COMPONENT.fullmatch(component):
            yield Mistake("separator", component, at)
        start += len(component) + 1


def _in_tag(tag: str, start: int) -> Iterator[Mistake]:
    if not tag:
        yield Mistake("tag-empty", ":", start - 1)
    elif ":" in tag:
        yield Mistake("colon", tag[tag.index(":") :], start + tag.index(":"))
    elif len(tag) > TAG_LIMIT:
        yield Mistake("tag-long", tag, start)
    elif not TAG.fullmatch(tag):
        yield Mistake("tag", tag, start)


def _in_digest(digest: str, start: int) -> Iterator[Mistake]:
    algorithm, _colon, encoded = digest.partition(":")
    if algorithm not in SIZES and DIGEST.fullmatch(digest):
        yield Mistake("digest-algorithm", algorithm, start)
    elif algorithm not in SIZES or not re.fullmatch("[0-9a-f]+", encoded):
        yield Mistake("digest", digest, start) if digest else Mistake("digest", "@", start - 1)
    elif len(encoded) != SIZES[algorithm]:
        yield Mistake("digest-length", encoded, start + len(algorithm) + 1)


def _rules() -> dict[str, str]:
    return {
        "empty": _("There is no name here."),
        "userinfo": _(
            "A password does not belong in a name: docker login asks for it, "
            "and here everybody could read it."
        ),
        "scheme": _("A name does not begin with “{part}”: it is not a web address."),
        "space": _("A name has no spaces in it."),
        "letters": _("A name is written with a–z and 0–9; “{part}” does not belong in it."),
        "identifier": _("64 hex digits on their own are an image's ID, not its name."),
        "domain": _("“{part}” is not the address of a registry."),
        "port": _("A port is a number, and “{part}” is none."),
        "nameless": _("The name is missing in front of “{part}”."),
        "slash": _("A slash stands between two parts of a name, and here one part is missing."),
        "character": _("“{part}” cannot be in a name."),
        "uppercase": _("“{part}” has capital letters, and a repository's name has none."),
        "separator": _(
            "In “{part}” a dot, dash or underscore is in the wrong place: "
            "it belongs between two letters or digits."
        ),
        "too-long": _("A repository's name has at most 255 characters."),
        "tag-empty": _("A tag is missing after the colon."),
        "colon": _("“{part}” is one colon too many: a name takes one tag."),
        "tag-long": _("A tag has at most 128 characters, and this one has {count}."),
        "tag": _(
            "“{part}” is no tag: a tag is made of a–z, A–Z, 0–9, “_”, “.” and “-”, "
            "and does not begin with a dot or a dash."
        ),
        "digest": _("“{part}” is no digest: that is sha256: and 64 hex digits."),
        "digest-algorithm": _(
            "Docker does not know digests of the kind “{part}”, only sha256, sha384 and sha512."
        ),
        "digest-length": _(
            "This digest has {count} hex digits: "
            "sha256 takes exactly 64, sha384 takes 96 and sha512 takes 128."
        ),
        "format": _("“{part}” is not the name of an image."),
    }
