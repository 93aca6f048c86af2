"""What a pull-through cache needs of the registry that it fetches from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeGuard

from dockerlab.errors import DigestMismatch, RegistryError, SizeMismatch, Unauthorized
from dockerlab.image.manifest import Descriptor, Manifest


class Upstream(Protocol):
    """A registry, as registry.client has it; what it gives may be anything, and may take long."""

    host: str

    def tags(self, repository: str) -> Iterable[str]:
        """All tags of a repository; RegistryError."""

    def resolve(self, repository: str, reference: str) -> Descriptor:
        """What a tag points to; RegistryError."""

    def manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest of a tag or digest, verified; RegistryError."""

    def find_blob(self, repository: str, digest: str) -> Descriptor:
        """What points to a blob, with its size; RegistryError."""

    def stream(self, repository: str, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob's bytes as they come, not verified; RegistryError."""


def is_locked_out(error: Exception) -> TypeGuard[Unauthorized]:
    """Whether the upstream wants another login, whatever it is asked for."""
    if not isinstance(error, Unauthorized) or error.status != 401:
        return False
    return error.of_token or error.challenge.lower().startswith("basic")


def said(error: Exception) -> str:
    """What went wrong with an upstream, for the log and for clients, in English."""
    if is_locked_out(error):
        return f"it does not take proxy.username and proxy.password: {error.detail}"
    if isinstance(error, RegistryError):
        return error.detail
    if isinstance(error, DigestMismatch):
        return f"it sent content with the digest {error.actual} as {error.expected}"
    if isinstance(error, SizeMismatch):
        return f"it sent {error.actual} of {error.expected} bytes"
    return str(error)
