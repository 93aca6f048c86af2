"""A client of the OCI distribution-spec 1.1 (and of Docker's registry HTTP API v2).

What a registry sends is never trusted: every byte is hashed, every size and status looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import IO, TYPE_CHECKING
from urllib.parse import urlencode

from dockerlab.errors import (
    DigestMismatch,
    InvalidManifest,
    NotFound,
    RegistryError,
    SizeMismatch,
    Unavailable,
)
from dockerlab.image import digest as digests
from dockerlab.image.manifest import (
    INDEXES,
    MANIFESTS,
    OCI_INDEX,
    SIZE_LIMIT,
    Descriptor,
    Manifest,
    encode,
)
from dockerlab.registry.answers import Answer
from dockerlab.registry.exchange import Exchange
from dockerlab.registry.patience import Patience
from dockerlab.registry.sending import Sending
from dockerlab.registry.wire import SILENCE, Wire, answer_of, read

if TYPE_CHECKING:
    import httpx

    from dockerlab.registry.network import Route
    from dockerlab.registry.trust import Trust

__all__ = ["Exchange", "Registry"]

_ACCEPT = {"Accept": ", ".join(MANIFESTS + INDEXES)}
_VAGUE = ("application/octet-stream", "application/json", "text/plain")


class Registry:
    """One registry, `host` being what stands in image names: `localhost:5000`, `docker.io`.

    Loopback hosts and those in `insecure` may speak HTTP, or HTTPS with any certificate; `trust`
    says which certificates others may have, and `route` where connections to a host really go.
    With a `scheme`, that one is spoken, and https is verified whatever the host. It may say
    nothing for `silence` seconds.
    """

    def __init__(
        self,
        host: str,
        *,
        username: str = "",
        password: str = "",
        insecure: Collection[str] = (),
        trust: Trust | None = None,
        scheme: str = "",
        silence: float = SILENCE,
        route: Route | None = None,
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.host = host
        self._wire = Wire(
            host,
            username=username,
            password=password,
            insecure=insecure,
            trust=trust,
            scheme=scheme,
            silence=silence,
            route=route,
            transport=transport,
            observe=observe,
        )

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._wire.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the registry has warned of so far, each once (§ Warnings); to be shown, no more."""
        return tuple(self._wire.warnings)

    def ping(self) -> None:
        """Return if this is a registry that lets us in (§ Determining Support)."""
        self._wire.request("GET", "/v2/")

    def look(self, method: str, target: str) -> None:
        """Ask for a path as docker would, only for who observes: any answer will do."""
        self._wire.look(method, target, _ACCEPT)

    def catalog(self, page: int = 100) -> Iterator[str]:
        """All repositories, asked for `page` at a time, as they are needed."""
        return self._pages(f"/v2/_catalog?n={page}", "repositories")

    def tags(self, repository: str) -> Iterator[str]:
        """All tags of a repository, asked for as they are needed (§ Listing Tags)."""
        return self._pages(f"/v2/{repository}/tags/list", "tags")

    def manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest of a tag or digest, verified (§ Pulling Manifests)."""
        answer = self._wire.request(
            "GET", f"/v2/{repository}/manifests/{reference}", headers=_ACCEPT
        )
        if ":" in reference:
            verifier = digests.Verifier(reference)
            verifier.update(answer.body)
            verifier.check()
        try:
            return Manifest.parse(answer.body, _specific(answer.media_type))
        except InvalidManifest as error:
            raise answer.invalid(error.reason) from None

    def resolve(self, repository: str, reference: str) -> Descriptor:
        """What a tag or digest points to, without fetching it; NotFound."""
        path = f"/v2/{repository}/manifests/{reference}"
        answer = self._wire.request("HEAD", path, headers=_ACCEPT)
        digest = answer.headers.get("docker-content-digest", "")
        size = answer.headers.get("content-length", "")
        if digest and size.isdecimal() and answer.media_type in MANIFESTS + INDEXES:
            digests.split(digest)
            return Descriptor(answer.media_type, digest, int(size))
        return self.manifest(repository, reference).descriptor

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest; its blobs must be there before."""
        answer = self._wire.request(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            expect=(201,),
            headers={"Content-Type": manifest.media_type},
            content=manifest.raw,
        )
        stored = answer.headers.get("docker-content-digest", manifest.digest)
        if stored.startswith("sha256:") and stored != manifest.digest:
            raise DigestMismatch(manifest.digest, stored)
        if manifest.subject and "oci-subject" not in answer.headers:
            self._note(repository, manifest.subject.digest, manifest.referrer)

    def referrers(self, repository: str, digest: str, artifact_type: str = "") -> list[Descriptor]:
        """The manifests about that one, of one type or of all (§ Listing Referrers).

        Registries without such a list answer 404; there, clients keep one under a tag.
        """
        query = "?" + urlencode({"artifactType": artifact_type}) if artifact_type else ""
        found: list[Descriptor] = []
        try:
            for answer in self._answers(f"/v2/{repository}/referrers/{digest}{query}"):
                found += _index(answer).manifests
        except NotFound:
            found += self._noted(repository, digest).manifests
        return [item for item in found if artifact_type in ("", item.artifact_type)]

    def delete(self, repository: str, reference: str) -> None:
        """Delete a manifest by digest with all its tags, or one tag if the registry can."""
        path = f"/v2/{repository}/manifests/{reference}"
        self._wire.request("DELETE", path, expect=(200, 202, 204))

    def delete_blob(self, repository: str, digest: str) -> None:
        """Delete a blob."""
        self._wire.request("DELETE", f"/v2/{repository}/blobs/{digest}", expect=(200, 202, 204))

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository holds a blob."""
        try:
            self._wire.request("HEAD", f"/v2/{repository}/blobs/{digest}")
        except NotFound:
            return False
        return True

    def find_blob(self, repository: str, digest: str) -> Descriptor:
        """What points to a blob, with its size; NotFound."""
        answer = self._wire.request("HEAD", f"/v2/{repository}/blobs/{digest}")
        size = answer.headers.get("content-length", "")
        if not size.isdecimal():
            raise answer.invalid("it does not say how large the blob is")
        return Descriptor("application/octet-stream", digest, int(size))

    def blob(self, repository: str, descriptor: Descriptor, start: int = 0) -> Iterator[bytes]:
        """A blob's bytes from `start`, as they come; verified where `start` is 0.

        An iteration that ends has given the very bytes that the digest names.
        """
        verifier = digests.Verifier(descriptor.digest)
        for chunk in self.stream(repository, descriptor, start):
            verifier.update(chunk)
            yield chunk
        if start == 0:
            verifier.check()

    def read(self, repository: str, descriptor: Descriptor) -> bytes:
        """A whole, small blob."""
        if descriptor.size > SIZE_LIMIT:
            raise SizeMismatch(descriptor.digest, SIZE_LIMIT, descriptor.size)
        return b"".join(self.blob(repository, descriptor))

    def stream(self, repository: str, descriptor: Descriptor, start: int = 0) -> Iterator[bytes]:
        """As `blob`, resumed when the connection breaks, but left to the caller to verify."""
        position, patience = start, Patience()
        while position < descriptor.size:
            try:
                for chunk in self._range(repository, descriptor, position):
                    position += len(chunk)
                    yield chunk
            except Unavailable as error:
                patience.lost(error, position)

    def mount(self, repository: str, digest: str, source: str) -> bool:
        """Make a blob of the repository `source` one of `repository`; False if that failed."""
        answer = self._wire.request(
            "POST",
            f"/v2/{repository}/blobs/uploads/",
            params={"mount": digest, "from": source},
            expect=(201, 202),
        )
        if answer.status == 202:  # an upload was begun instead
            with suppress(RegistryError):
                self._wire.request("DELETE", answer.location, expect=(200, 202, 204))
        return answer.status == 201

    def upload(
        self,
        repository: str,
        descriptor: Descriptor,
        open: Callable[[], IO[bytes]],
        progress: Callable[[int], None] = lambda sent: None,
    ) -> None:
        """Send a blob from the file that `open()` gives; goes on where a connection broke off.

        `progress` gets the number of bytes sent so far, which may fall when bytes were lost.
        """
        with open() as file:
            Sending(self._wire, repository, descriptor, progress).send(file)

    def _noted(self, repository: str, digest: str) -> Manifest:
        """The index of what is about a manifest, from its tag (§ Referrers Tag Schema)."""
        try:
            return self.manifest(repository, schema_tag(digest))
        except NotFound:
            return Manifest.parse(
                encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
            )

    def _note(self, repository: str, subject: str, referrer: Descriptor) -> None:
        """Add to that index; whatever else is in it stays as it is."""
        index = self._noted(repository, subject)
        if index.is_index and referrer.digest not in {item.digest for item in index.manifests}:
            data = json.loads(index.raw)
            data["manifests"].append(referrer.to_json())
            self.put_manifest(repository, schema_tag(subject), Manifest.parse(encode(data)))

    def _pages(self, first: str, key: str) -> Iterator[str]:
        for answer in self._answers(first):
            yield from answer.names(key)

    def _answers(self, first: str) -> Iterator[Answer]:
        target: str | None = first
        seen = set()
        while target:
            seen.add(target)
            answer = self._wire.request("GET", target)
            yield answer
            target = answer.next
            if target in seen:
                raise answer.invalid("its next page is one that was already read")

    def _range(self, repository: str, descriptor: Descriptor, start: int) -> Iterator[bytes]:
        """One attempt at the bytes from `start`; never more than the descriptor promises."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        path = f"/v2/{repository}/blobs/{descriptor.digest}"
        with self._wire.send("GET", path, headers) as response:
            if response.status_code not in (200, 206):
                answer_of(response, read(response)).judge(())
            begin = _begin(answer_of(response), start)
            length = response.headers.get("content-length", "")
            if length.isdecimal() and begin + int(length) != descriptor.size:
                raise SizeMismatch(descriptor.digest, descriptor.size, begin + int(length))
            position = begin
            for chunk in response.iter_raw():
                skip = max(0, start - position)
                position += len(chunk)
                if position > descriptor.size:
                    break
                if skip < len(chunk):
                    yield chunk[skip:] if skip else chunk
            if position != descriptor.size:
                raise SizeMismatch(descriptor.digest, descriptor.size, position)


def _index(answer: Answer) -> Manifest:
    """The index that was answered; RegistryError if it is none."""
    try:
        return Manifest.parse(answer.body, OCI_INDEX)
    except InvalidManifest as error:
        raise answer.invalid(error.reason) from None


def schema_tag(digest: str) -> str:
    """The tag under which clients keep the referrers of a manifest, where the registry does not."""
    algorithm, name = digests.split(digest)
    return f"{algorithm}-{name[:64]}"


def _begin(answer: Answer, asked: int) -> int:
    """The position in the blob where an answer to a request from `asked` on begins."""
    if answer.status == 200:  # the registry knows no ranges
        return 0
    if not answer.headers.get("content-range", "").startswith(f"bytes {asked}-"):
        raise answer.invalid(f"its Content-Range is not the one asked for, {asked}-")
    return asked


def _specific(media_type: str) -> str:
    """A Content-Type, or nothing if it says no more than that something came."""
    return "" if media_type in _VAGUE else media_type
