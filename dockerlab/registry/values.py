"""What the values of settings mean: numbers, lengths of time, sizes, addresses, headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Wrong(ValueError):
    """A value does not fit its setting; the message says what would."""


class Scalar(str):
    """A YAML scalar as it was written, and what YAML takes it for: "str", "bool", "int" …"""

    kind = "str"


class Address(NamedTuple):
    """Where a server listens: `host` "" is every address of the machine, `port` 0 a free one."""

    host: str
    port: int


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_FOREVER = 100 * 365 * 86400  # seconds
_DURATION = re.compile(r"(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_PART = re.compile(r"([\d.]+)([^\d.]+)")
_SIZE = re.compile(r"(\d{1,15})\s*(?:([KMGT])i?)?B?", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_YES, _NO = {"true", "yes", "on", "y"}, {"false", "no", "off", "n"}


def boolean(value: Any) -> bool:
    """YAML's true and false, unquoted: `yes`, `on`, `True` too."""
    if isinstance(value, Scalar) and value.lower() in _YES | _NO:
        if value.kind == "bool" or len(value) == 1:
            return value.lower() in _YES
        raise Wrong(f"{shown(value)} is text; write {value.lower()} without quotes around it")
    raise Wrong(f"{shown(value)} is neither true nor false")


def integer(value: Any) -> int:
    """A whole number."""
    try:
        return int(scalar(value), 10)
    except ValueError:
        raise Wrong(f"{shown(value)} is not a whole number") from None


def seconds(value: Any) -> float:
    """A length of time in Go's form, "1h30m" or "500ms", in seconds."""
    text = scalar(value)
    if text == "0" or _DURATION.fullmatch(text):
        length = sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(text))
        if length > _FOREVER:
            raise Wrong(f"{shown(value)} is longer than 100 years")
        return length
    hint = f"; did you mean {text}s?" if text.isdigit() else ", such as 30s or 1h30m"
    raise Wrong(f"{shown(value)} is not a length of time{hint}")


def size(value: Any) -> int:
    """A number of bytes: 1048576, 512KiB, 10GB (both in powers of 1024)."""
    found = _SIZE.fullmatch(scalar(value))
    if not found:
        raise Wrong(f"{shown(value)} is not a number of bytes, such as 1048576 or 10GiB")
    power = " KMGT".index((found[2] or " ").upper())
    return int(found[1]) * int(1024**power)


def scalar(value: Any) -> str:
    """Any single value, as text."""
    if not isinstance(value, Scalar):
        raise Wrong("a single value is wanted here, not a list or a section")
    return str(value)


def path(value: Any) -> str:
    """The name of a file or folder."""
    text = scalar(value)
    if not text or "\0" in text:
        raise Wrong("the path of a file or folder is wanted here")
    return text


def printable(value: Any) -> str:
    """Text on one line."""
    text = scalar(value)
    if not text.isprintable():
        raise Wrong("has signs that cannot be printed")
    return text


def sequence(value: Any) -> Sequence[Any]:
    """A list; REGISTRY_…_0, _1 … are one too."""
    if isinstance(value, dict) and list(value) == [str(n) for n in range(len(value))]:
        return list(value.values())
    if not isinstance(value, list):
        example = value if isinstance(value, Scalar) else "a, b"
        raise Wrong(f"a list is wanted here, such as [{example}]")
    return value


def shown(value: Any) -> str:
    """A value in a message."""
    return f'"{value}"' if isinstance(value, Scalar) else "a list or a section"


def count(value: Any) -> int:
    """A whole number above zero."""
    number = integer(value)
    if number < 1:
        raise Wrong(f"{number} is not above zero")
    return number


def choice(words: Sequence[str], why: str = "") -> Callable[[Any], str]:
    """A reader of one of these words, in any case."""

    def one(value: Any) -> str:
        word = scalar(value).lower()
        if word not in words:
            wanted = f"one of {', '.join(words)}" if len(words) > 1 else words[0]
            raise Wrong(f"{shown(value)} is not {wanted}{why}")
        return word

    return one


def address(value: Any) -> Address | None:
    """HOST:PORT, with either left out: ":5000", "[::1]:5000", "localhost:"."""
    host, colon, port = scalar(value).rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in bare and bare == host):
        raise Wrong(f"{shown(value)} is not HOST:PORT, such as :5000 or 127.0.0.1:5000")
    if not (port.isascii() and port.isdigit() and int(port[:9]) <= 65535):
        raise Wrong(f"{shown(value)} has no port from 0 to 65535 after its last colon")
    return Address(bare, int(port))


def origin(value: Any) -> str:
    """The scheme, host and port of a URL; a password in it is not shown."""
    text = scalar(value).rstrip("/")
    if "@" in text:
        raise Wrong("a URL without a user and a password is wanted here")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or f"{parts.scheme}://{parts.netloc}" != text:
        raise Wrong(f"{shown(value)} is not a URL such as https://registry.example:5000")
    return text


def headers(value: Any) -> Mapping[str, tuple[str, ...]]:
    """`{X-Content-Type-Options: [nosniff]}`."""
    if not isinstance(value, dict):
        raise Wrong("headers and their values are wanted here, such as {X-Lab: [one]}")
    read = {name: tuple(map(scalar, sequence(each))) for name, each in value.items()}
    for name, lines in read.items():
        if not _HEADER.fullmatch(name) or any(not line.isprintable() for line in lines):
            raise Wrong(f'"{name}" cannot be a header with this value')
    return read


def fields(value: Any) -> Mapping[str, str]:
    """`{service: registry}`."""
    if not isinstance(value, dict):
        raise Wrong("names and their values are wanted here, such as {service: registry}")
    return {name: scalar(each) for name, each in value.items()}


def root_only(value: Any) -> str:
    """`/`: the registry's own API has no other place here."""
    if scalar(value) != "/":
        raise Wrong(f"{shown(value)} is not supported; the registry is at /")
    return "/"
