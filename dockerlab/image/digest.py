"""Digests: what content is called by its hash (OCI image-spec, descriptor.md § Digests)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from dockerlab.errors import DigestMismatch, InvalidDigest

if TYPE_CHECKING:
    from hashlib import _Hash

SIZES = {"sha256": 64, "sha384": 96, "sha512": 128}
_FORM = re.compile(r"(sha256|sha384|sha512):([0-9a-f]+)")


def split(digest: str) -> tuple[str, str]:
    """Algorithm and hex half of `digest`; InvalidDigest if it is not one."""
    match = _FORM.fullmatch(digest)
    if not match or len(match[2]) != SIZES[match[1]]:
        raise InvalidDigest(digest)
    return match[1], match[2]


def of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of `content`."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def short(digest: str) -> str:
    """The twelve hex digits that docker shows."""
    return digest.partition(":")[2][:12]


class Verifier:
    """Hashes what streams by and says at the end whether it was what `expected` names."""

    def __init__(self, expected: str) -> None:
        self.expected = expected
        self.algorithm, _ = split(expected)
        self.size = 0
        self._hash: _Hash = hashlib.new(self.algorithm)

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._hash.update(chunk)
        self.size += len(chunk)

    @property
    def digest(self) -> str:
        """The digest of all bytes so far."""
        return f"{self.algorithm}:{self._hash.hexdigest()}"

    def check(self) -> None:
        """DigestMismatch unless the bytes so far are the expected ones."""
        if self.digest != self.expected:
            raise DigestMismatch(self.expected, self.digest)
