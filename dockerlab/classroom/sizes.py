"""Sizes as people write and read them: `2GB`, `512 MB`."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d+)?) ?([KMGT]?)(?:i?B)?", re.IGNORECASE)


def parse(text: str) -> int:
    """Bytes, of a text like `500MB`; ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    return int(float(found[1]) * _UNITS[found[2].upper()])


def said(size: int) -> str:
    """`size` bytes in the largest unit that leaves at least 1: `1.5 GB`."""
    unit = next((name for name in "TGMK" if size >= _UNITS[name]), "")
    return f"{size / _UNITS[unit]:.1f}".removesuffix(".0") + f" {unit}B"
