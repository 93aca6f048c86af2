"""Sending one blob: POST, PATCH, PUT (distribution-spec § Pushing a blob in chunks)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import IO, Protocol

from dockerlab.errors import DigestMismatch, NotFound, RegistryError, SizeMismatch, Unavailable
from dockerlab.image import digest as digests
from dockerlab.image.manifest import Descriptor
from dockerlab.registry.answers import Answer
from dockerlab.registry.patience import Patience

CHUNK = 1024 * 1024  # bytes read, hashed and sent at a time
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_LOST = (404, 416)  # the registry forgot the upload, or has other bytes of it than we think


class Requester(Protocol):
    """What a sending needs of a registry."""

    def request(
        self,
        method: str,
        target: str,
        *,
        expect: Collection[int] = ...,
        headers: Mapping[str, str] | None = ...,
        params: Mapping[str, str] | None = ...,
        content: bytes | Iterable[bytes] = ...,
    ) -> Answer: ...

    def has_blob(self, repository: str, digest: str) -> bool: ...


class Sending:
    """The upload of one blob, over as many connections as it takes.

    The bytes are hashed as they go out, and the last ones only go if all of them are right: a
    registry never gets to the end of a blob that is broken here.
    """

    def __init__(
        self,
        registry: Requester,
        repository: str,
        descriptor: Descriptor,
        progress: Callable[[int], None],
    ) -> None:
        self._registry, self._repository = registry, repository
        self._blob, self._progress = descriptor, progress
        self._verifier = digests.Verifier(descriptor.digest)
        self._location = ""  # of the upload in the registry; empty before it begins
        self._sent = 0

    def send(self, file: IO[bytes]) -> None:
        """Bring `file` to the registry; Unavailable when that stays away for too long."""
        patience = Patience()
        while True:
            try:
                return self._attempt(file)
            except Unavailable as error:
                patience.lost(error, self._sent)
            except (DigestMismatch, SizeMismatch):
                self._cancel()
                raise
            except RegistryError as error:
                if not self._location or error.status not in _LOST:
                    raise
                self._location = ""
                patience.lost(error, 0)

    def _attempt(self, file: IO[bytes]) -> None:
        start = self._resume() if self._location else 0
        if start is None:
            return
        if not self._location:
            path = f"/v2/{self._repository}/blobs/uploads/"
            self._location = self._registry.request("POST", path, expect=(202,)).location
        if start < self._blob.size:
            self._patch(file, start)
        else:
            self._verifier.check()
        last = {"digest": self._blob.digest}
        self._registry.request("PUT", self._location, params=last, expect=(201, 204))

    def _resume(self) -> int | None:
        """How many bytes the registry has; None if the blob has arrived after all."""
        try:
            answer = self._registry.request("GET", self._location, expect=(200, 204))
        except NotFound:
            if self._registry.has_blob(self._repository, self._blob.digest):
                return None
            self._location = ""
            return 0
        match = _RANGE.fullmatch(answer.headers.get("range", ""))
        have = int(match[1]) + 1 if match else 0
        # "0-0" is said of no byte and of one; and it cannot have more than was sent.
        if have < 2 or have > self._verifier.size:
            self._location = ""
            return 0
        self._location = answer.headers.get("location") and answer.location or self._location
        return have

    def _patch(self, file: IO[bytes], start: int) -> None:
        answer = self._registry.request(
            "PATCH",
            self._location,
            expect=(202, 204),
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(self._blob.size - start),
                "Content-Range": f"{start}-{self._blob.size - 1}",
            },
            content=self._chunks(file, start),
        )
        self._location = answer.location

    def _chunks(self, file: IO[bytes], start: int) -> Iterator[bytes]:
        file.seek(start)
        position, size = start, self._blob.size
        while position < size:
            chunk = file.read(min(CHUNK, size - position))
            if not chunk:
                raise SizeMismatch(self._blob.digest, size, position)
            position += len(chunk)
            unhashed = position - self._verifier.size
            if unhashed > 0:
                self._verifier.update(memoryview(chunk)[-unhashed:])
            if position == size:
                self._verifier.check()
            yield chunk
            self._sent = position
            self._progress(position)

    def _cancel(self) -> None:
        with suppress(RegistryError):
            if self._location:
                self._registry.request("DELETE", self._location, expect=(200, 202, 204))
