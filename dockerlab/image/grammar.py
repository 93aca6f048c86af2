"""The grammar of image names, as the distribution project's `reference` package has it.

    reference   = [ domain "/" ] path [ ":" tag ] [ "@" digest ]
    domain      = host [ ":" port ]
    host        = label *( "." label ) | "[" IPv6 address "]"
    label       = letters, digits and inner dashes, in either case
    path        = component *( "/" component )           at most 255 characters
    component   = word *( separator word )               word: small letters and digits
    separator   = "." | "_" | "__" | "-" *"-"
    tag         = letter, digit or "_", then up to 127 of these, "." and "-"
    digest      = algorithm ":" at least 32 hex digits   sha256, sha384 or sha512

A first component is a domain only if it says so: it is `localhost`, or has a dot, a colon or a
capital letter in it. Everything else is on Docker Hub.
"""

from __future__ import annotations

import re

HUB = "docker.io"
OLD_HUB = "index.docker.io"
OFFICIAL = "library/"
PATH_LIMIT = 255
TAG_LIMIT = 128

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_IPV6 = r"\[[a-fA-F0-9:]+\]"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|{_IPV6})(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ALGORITHM = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_DIGEST = rf"{_ALGORITHM}:[0-9a-fA-F]{{32,}}"

# Each is used with fullmatch, so each is anchored at both ends.
IDENTIFIER = re.compile(r"[a-f0-9]{64}")
DOMAIN = re.compile(_DOMAIN)
COMPONENT = re.compile(_COMPONENT)
PATH = re.compile(_PATH)
TAG = re.compile(_TAG)
DIGEST = re.compile(_DIGEST)
REFERENCE = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)


def split_domain(text: str) -> tuple[str, str]:
    """The registry that a name as typed leads to, and the rest, `library/` added where docker does.

    The name need not be valid: both halves are still to be judged.
    """
    first, slash, rest = text.partition("/")
    if not slash:
        return HUB, OFFICIAL + text
    if not is_domain(first):
        first, rest = HUB, text
    elif first == OLD_HUB:
        first = HUB
    return first, (OFFICIAL + rest if first == HUB and "/" not in rest else rest)


def is_domain(first: str) -> bool:
    """Whether the first component of a name is a registry, not an account."""
    return first == "localhost" or "." in first or ":" in first or first.lower() != first
