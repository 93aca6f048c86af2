"""Docker's words for what goes wrong between the engine, its images and a registry."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from dockerlab.errors import (
    DigestMismatch,
    DockerlabError,
    EngineError,
    NoPlatform,
    NotFound,
    RegistryError,
    SizeMismatch,
    Unauthorized,
    Unavailable,
)
from dockerlab.image.reference import InvalidReference, Reference
from dockerlab.registry import answers

_PREFIX = "Error response from daemon: "
_NO_LOGIN = "no basic auth credentials"
_PATH_IN_WORDS = re.compile(r" name \(.*\) must")


class Refused(EngineError):
    """What the daemon says, `reason`, behind the words with which the CLI shows it."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(_PREFIX + reason, hint=hint)
        self.reason = reason


class NoSuchImage(Refused):
    """No local image goes by this name or ID."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such image: {name}")


def invalid(error: InvalidReference) -> Refused:
    """The daemon's words for a bad name; unlike the CLI it does not repeat the name."""
    return Refused(_PATH_IN_WORDS.sub(" name must", error.docker))


def pull_refused(error: DockerlabError, reference: Reference, whole: bool = False) -> str:
    """Why a pull failed; `whole` if all tags were asked for."""
    if isinstance(error, RegistryError) and error.code == "DENIED":
        name = reference.familiar_name
        return (
            f"pull access denied for {name}, repository does not exist or may require "
            f"'docker login': {_coded(error)}"
        )
    if isinstance(error, RegistryError) and error.of_token:
        return _with_address(error, _reason(error), head=not whole)
    if isinstance(error, Unauthorized) and error.status == 401:
        words = unauthorized(error)
        return _with_address(error, words, head=not whole) if words == _NO_LOGIN else words
    if isinstance(error, NotFound) and "/blobs/" in error.url:
        return "unknown blob"
    if isinstance(error, NotFound) and error.code == "MANIFEST_UNKNOWN":
        return f"manifest for {_looked_up(reference)} not found: {_coded(error)}"
    if isinstance(error, NotFound) and error.code == "NAME_UNKNOWN":
        return f"repository {reference.familiar_name} not found: {_coded(error)}"
    if isinstance(error, DigestMismatch):
        return f"filesystem layer verification failed for digest {error.expected}"
    if isinstance(error, SizeMismatch):
        return f"filesystem layer verification failed for digest {error.digest}"
    return _common(error)


def push_refused(error: DockerlabError) -> str:
    """Why a push failed."""
    if isinstance(error, Unauthorized) and error.status == 401:
        return unauthorized(error)
    return _common(error)


def unauthorized(error: Unauthorized) -> str:
    """Why a registry that wants a login did not let us in."""
    basic = error.challenge.lower().startswith("basic")
    return _NO_LOGIN if basic and not error.signed else _coded(error)


def login_refused(error: RegistryError) -> str:
    """Why a registry did not take a login."""
    if isinstance(error, Unavailable) or error.of_token:
        return _with_address(error, _reason(error))
    status = answers.phrase(error.status)
    return f"login attempt to {error.url} failed with status: {status}"


def _common(error: DockerlabError) -> str:
    if isinstance(error, Unavailable):
        return _with_address(error, error.detail)
    if isinstance(error, NoPlatform):
        return error.detail
    return _reason(error) if isinstance(error, RegistryError) else str(error)


def _reason(error: RegistryError) -> str:
    unnamed = error.code in ("UNKNOWN", "INVALID_ANSWER", "UNAVAILABLE")
    return error.detail if unnamed else _coded(error)


def _coded(error: RegistryError) -> str:
    return f"{error.code.lower().replace('_', ' ')}: {error.detail}"


def _with_address(error: RegistryError, reason: str, head: bool = False) -> str:
    """As Go's http client has it: `Get "http://…": reason`."""
    method = "HEAD" if head and "/manifests/" in error.url else error.method
    # An upload's address ends with a state that is different each time.
    address = urlunsplit(urlsplit(error.url)._replace(query="", fragment=""))
    return f'{method.capitalize()} "{address}": {reason}'


def _looked_up(reference: Reference) -> str:
    """The name that was asked for: by digest alone where there is one."""
    if reference.digest and reference.tag:
        return reference.with_digest(reference.digest).familiar
    return reference.familiar
