"""Sending one blob: POST, PATCH, PUT (distribution-spec § Pushing a blob in chunks)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import IO

from dockerlab.errors import NotFound, RegistryError, SizeMismatch, Unavailable
from dockerlab.image import digest as digests
from dockerlab.image.manifest import Descriptor
from dockerlab.registry.patience import Patience
from dockerlab.registry.wire import Wire

CHUNK, _LARGEST = 256 * 1024, 2 * 1024 * 1024  # bytes read and sent at a time
_AT_ONCE = 0.1  # seconds
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_LOST = (404, 416)  # the registry forgot the upload, or has other bytes of it than we think


class Sending:
    """The upload of one blob, over as many connections as it takes.

    The registry verifies the digest at the end. The bytes are hashed here only when it says no,
    to find out whose fault it is.
    """

    def __init__(
        self,
        wire: Wire,
        repository: str,
        descriptor: Descriptor,
        progress: Callable[[int], None],
    ) -> None:
        self._wire, self._repository = wire, repository
        self._blob, self._progress = descriptor, progress
        self._location = ""  # of the upload in the registry; empty before it begins
        self._sent = 0  # bytes that went out, whether they arrived or not

    def send(self, file: IO[bytes]) -> None:
        """Bring `file` to the registry; Unavailable when that stays away for too long."""
        patience = Patience()
        while True:
            try:
                return self._attempt(file)
            except Unavailable as error:
                patience.lost(error, self._sent)
            except RegistryError as error:
                if error.code == "DIGEST_INVALID":
                    self._verify(file)
                if not self._location or error.status not in _LOST:
                    raise
                self._location = ""
                patience.lost(error, 0)
            except Exception:  # the file is cut short, or nobody wants this any more
                self._cancel()
                raise

    def _attempt(self, file: IO[bytes]) -> None:
        start = self._resume() if self._location else 0
        if start is None:
            return
        if not self._location:
            path = f"/v2/{self._repository}/blobs/uploads/"
            self._location = self._wire.request("POST", path, expect=(202,)).location
        if start < self._blob.size:
            self._patch(file, start)
        last = {"digest": self._blob.digest}
        self._wire.request("PUT", self._location, params=last, expect=(201, 204))

    def _resume(self) -> int | None:
        """How many bytes the registry has; None if the blob has arrived after all.

        The distribution project's registry 2.8 cannot go on with an upload whose last request
        broke off in the middle, and answers 404.
        """
        try:
            answer = self._wire.request("GET", self._location, expect=(200, 204))
        except NotFound:
            return self._lost()
        match = _RANGE.fullmatch(answer.headers.get("range", ""))
        have = int(match[1]) + 1 if match else 0
        # "0-0" is said of no byte and of one; and it cannot have more than was sent.
        if have < 2 or have > self._sent:
            self._location = ""
            return 0
        self._location = answer.headers.get("location") and answer.location or self._location
        return have

    def _lost(self) -> int | None:
        """The registry knows of no upload: the blob is complete, or all begins anew."""
        try:
            self._wire.request("HEAD", f"/v2/{self._repository}/blobs/{self._blob.digest}")
        except NotFound:
            self._location = ""
            return 0
        return None

    def _patch(self, file: IO[bytes], start: int) -> None:
        answer = self._wire.request(
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
        """Small pieces, so that progress shows; larger ones as long as each is gone at once."""
        file.seek(start)
        position, size, piece = start, self._blob.size, CHUNK
        while position < size:
            chunk = file.read(min(piece, size - position))
            if not chunk:
                raise SizeMismatch(self._blob.digest, size, position)
            position += len(chunk)
            self._sent = max(self._sent, position)
            began = monotonic()
            yield chunk
            if monotonic() - began < _AT_ONCE:
                piece = min(2 * piece, _LARGEST)
            self._progress(position)

    def _verify(self, file: IO[bytes]) -> None:
        """DigestMismatch if the bytes here are not those that the digest names."""
        verifier = digests.Verifier(self._blob.digest)
        file.seek(0)
        while chunk := file.read(CHUNK):
            verifier.update(chunk)
        verifier.check()

    def _cancel(self) -> None:
        with suppress(RegistryError):
            if self._location:
                self._wire.request("DELETE", self._location, expect=(200, 202, 204))
