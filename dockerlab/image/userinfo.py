"""A login pasted along with a name, as in `https://mina:secret@host/x`: it must not be shown."""

from __future__ import annotations

import re

HIDDEN = "•••"

_DIGEST = r"(?!s(?:h(?:a(?:\d+(?::\w*)?)?)?)?\Z)"  # what follows may be one, or become one
_HOST = r"(?=[^@]*(?:[./]|:[0-9]+\Z)|localhost)"
_PASSWORD = rf"[^/:@]*:(?![0-9]+/)(?P<secret>.+)@{_DIGEST}"
_TOKEN = rf"(?P<secret>[^/:@]+)@{_DIGEST}{_HOST}"
_BARE = re.compile(_PASSWORD + _HOST, re.S)
_IN_ADDRESS = tuple(re.compile(pattern, re.S) for pattern in (_PASSWORD + "(?=.)", _TOKEN))


def find(text: str) -> re.Match[str] | None:
    """User, password and `@` in `text`, with the group `secret`; None if there are none."""
    scheme = text.find("://")
    if scheme < 0:
        return _BARE.match(text)
    return next(filter(None, (each.match(text, scheme + 3) for each in _IN_ADDRESS)), None)


def hide(text: str) -> str:
    """`text` with dots for a password in it."""
    found = find(text)
    return text[: found.start("secret")] + HIDDEN + text[found.end("secret") :] if found else text


def drop(text: str) -> str:
    """`text` without user and password."""
    found = find(text)
    return text[: found.start()] + text[found.end() :] if found else text
