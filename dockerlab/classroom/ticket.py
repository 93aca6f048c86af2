"""The line on a slip: LOGIN@HOST:PORT/SEAL, and seals as people type them.

    line   ::= ["dockerlab join "] login "@" host ":" port "/" seal
    seal   ::= 16 letters and digits; "-" and blanks in it count for nothing

A seal has no 0, 1, 8 and 9: who reads one of them sees the letter that looks like it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockerlab.classroom.mistakes import BadLine
from dockerlab.classroom.room import REGISTRY_PORT

_LINE = re.compile(r"(?:dockerlab\s+join\s+)?(?:https://)?(?:(?P<login>[^@/]*)@)?(?P<rest>.*)")
_LOGIN = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*")
_HOST = re.compile(r"([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(?::(\d{1,5}))?")
_ALIKE = str.maketrans("018i", "olbl")
_SIGNS = 16


@dataclass(frozen=True)
class Ticket:
    """What a learner types to join: `address` is HOST:PORT."""

    login: str
    address: str
    seal: str

    def __str__(self) -> str:
        return f"{self.login}@{self.address}/{self.seal}"


def parse(text: str) -> Ticket:
    """The ticket in a line as it is typed; BadLine names the part that is wrong."""
    found = _LINE.fullmatch(text.strip())
    address, slash, seal = (found["rest"] if found else "").partition("/")
    if not found or not address:
        raise BadLine(text)
    login = (found["login"] or "").strip().lower()
    if not _LOGIN.fullmatch(login):
        raise BadLine(text, "login")
    place = _HOST.fullmatch(address.strip().lower())
    if not place or not 0 < int(place[2] or REGISTRY_PORT) < 65536:
        raise BadLine(text, "address")
    if not slash or len(_plain(seal)) != _SIGNS:
        raise BadLine(text, "seal")
    return Ticket(login, f"{place[1]}:{place[2] or REGISTRY_PORT}", seal.strip().lower())


def is_login(text: str) -> bool:
    """Whether it is one that a learner may have."""
    return bool(_LOGIN.fullmatch(text))


def differences(typed: str, seal: str) -> int:
    """In how many places a seal that was typed is not the one that it should be."""
    return sum(a != b for a, b in zip(_plain(typed), _plain(seal), strict=True))


def _plain(seal: str) -> str:
    return re.sub(r"[\s-]", "", seal.lower()).translate(_ALIKE)
