"""What a registry answers, and the one place that judges it (distribution-spec § Error Codes)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from dockerlab.errors import NotFound, RegistryError, Unauthorized
from dockerlab.i18n import _

INVALID = "INVALID_ANSWER"  # our own code: the answer is none that a registry may give
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_WARNING = re.compile(r'\b299 - "((?:[^"\\]|\\.)*)"')
_LONGEST = 4096  # bytes of all warnings of an answer
_CLASSES: Mapping[int, type[RegistryError]] = {401: Unauthorized, 403: Unauthorized, 404: NotFound}
_CODES = {
    401: ("UNAUTHORIZED", "authentication required"),
    403: ("DENIED", "requested access to the resource is denied"),
    405: ("UNSUPPORTED", "The operation is unsupported."),
    429: ("TOOMANYREQUESTS", "too many requests"),
}
_UNKNOWN = {
    "/manifests/": ("MANIFEST_UNKNOWN", "manifest unknown"),
    "/blobs/uploads/": ("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"),
    "/blobs/": ("BLOB_UNKNOWN", "blob unknown to registry"),
    "/tags/": ("NAME_UNKNOWN", "repository name not known to registry"),
}


class TooLong(RegistryError):
    """The answer has more bytes than a manifest or a list may have; the rest was not read."""

    def message(self) -> str:
        return _(
            "The answer to {method} {url} is larger than 4 MiB. No manifest may be that large, so "
            "the rest was not read."
        ).format(method=self.method, url=self.url)


@dataclass(frozen=True)
class Answer:
    """One answer of a registry; `url` is what it answers, `headers` know no upper case."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    signed: bool = False  # whether a login went along

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def location(self) -> str:
        """The absolute address in the Location header; RegistryError if there is none."""
        found = self.headers.get("location")
        if not found:
            raise self.invalid("it names no Location")
        return self._absolute(found)

    @property
    def next(self) -> str | None:
        """The address of the next page (RFC 8288); None on the last one."""
        match = _NEXT.search(self.headers.get("link", ""))
        return self._absolute(match[1]) if match else None

    def names(self, key: str) -> list[str]:
        """The list of strings under `key` in a JSON body; RegistryError if it is not there."""
        try:
            found = json.loads(self.body)[key] or []
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self.invalid(f"it is no JSON with a list of {key}") from None
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise self.invalid(f"its {key} are no list of names")
        return found

    def invalid(self, reason: str) -> RegistryError:
        """The error to raise when the answer makes no sense; `reason` is English."""
        return RegistryError(self.status, INVALID, reason, method=self.method, url=self.url)

    def judge(self, expected: Collection[int]) -> None:
        """Raise what an answer means that is not one of the `expected` statuses."""
        if self.status in expected:
            return
        if self.status < 400:
            raise self.invalid(f"received unexpected HTTP status: {self._phrase}")
        code, text, facts = self._stated() or (*self._usual(), None)
        challenge = self.headers.get("www-authenticate", "")
        if 'error="insufficient_scope"' in challenge:  # a token was given (RFC 6750 § 3.1)
            code, text = _CODES[403]
        error = _CLASSES.get(self.status, RegistryError)(
            self.status, code, text, method=self.method, url=self.url
        )
        error.facts = facts
        if isinstance(error, Unauthorized):
            error.challenge, error.signed = challenge, self.signed
        raise error

    def _absolute(self, address: str) -> str:
        try:
            return urljoin(self.url, address)
        except ValueError:
            raise self.invalid(f"it gives an address that is none: {address}") from None

    def _stated(self) -> tuple[str, str, Any] | None:
        """Code, message and detail of the first error in the body."""
        try:
            data = json.loads(self.body)
            if "details" in data:  # Docker Hub's token server
                return self._usual()[0], str(data["details"]), None
            first = data["errors"][0]
            code, text = str(first["code"]), str(first.get("message") or "")
            return code, text or code.lower().replace("_", " "), first.get("detail")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            return None

    def _usual(self) -> tuple[str, str]:
        """Code and message for an answer that says nothing itself, as that to a HEAD."""
        if self.status == 404:
            return next(
                (usual for part, usual in _UNKNOWN.items() if part in self.url),
                ("NOT_FOUND", "page not found"),
            )
        return _CODES.get(self.status) or (
            "UNKNOWN",
            f"received unexpected HTTP status: {self._phrase}",
        )

    @property
    def _phrase(self) -> str:
        return phrase(self.status)


def warnings(lines: Iterable[str]) -> Iterable[str]:
    """The texts of Warning headers (§ Warnings), each on one line, without what is no text."""
    for text in _WARNING.findall(", ".join(lines)[:_LONGEST]):
        yield "".join(char for char in re.sub(r"\\(.)", r"\1", text) if char.isprintable())


def phrase(status: int) -> str:
    """A status as servers write it: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
