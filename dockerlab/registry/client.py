"""A client of the OCI distribution-spec 1.1 (and of Docker's registry HTTP API v2).

What a registry sends is never trusted: every byte is hashed, every size and status looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import httpx

from dockerlab import __version__
from dockerlab.errors import (
    DigestMismatch,
    InvalidManifest,
    NotFound,
    RegistryError,
    SizeMismatch,
    Unavailable,
)
from dockerlab.image import digest as digests
from dockerlab.image.manifest import INDEXES, MANIFESTS, SIZE_LIMIT, Descriptor, Manifest
from dockerlab.registry.answers import INVALID, Answer
from dockerlab.registry.failures import is_loopback, unavailable
from dockerlab.registry.patience import Patience
from dockerlab.registry.sending import Sending

_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_ACCEPT = {"Accept": ", ".join(MANIFESTS + INDEXES)}
_VAGUE = ("application/octet-stream", "application/json", "text/plain")
_HEADERS = {"User-Agent": f"dockerlab/{__version__}", "Accept-Encoding": "identity"}
# Seconds. A registry may hash gigabytes before it answers the end of an upload.
_TIMEOUT = httpx.Timeout(connect=15, read=120, write=120, pool=None)
Body = bytes | Iterable[bytes]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer: bodies in bytes, `status` 0 if there was no answer."""

    method: str
    path: str
    status: int
    sent: int
    received: int
    milliseconds: float


class Registry:
    """One registry, `host` being what stands in image names: `localhost:5000`, `docker.io`.

    Loopback hosts and those in `insecure` may speak HTTP, or HTTPS with any certificate.
    """

    def __init__(
        self,
        host: str,
        *,
        username: str = "",
        password: str = "",
        insecure: Collection[str] = (),
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.host = host
        loopback = is_loopback(host)
        relaxed = loopback or bool({host, host.rpartition(":")[0]} & set(insecure))
        self._schemes = ("http", "https") if relaxed else ("https",)
        self._auth = httpx.BasicAuth(username, password) if username else None
        self._observe = observe
        self._origin: httpx.URL | None = None
        self._lock = threading.Lock()
        self._http = httpx.Client(
            verify=not relaxed,
            headers=_HEADERS,
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=not loopback,
        )

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._http.close()

    def ping(self) -> None:
        """Return if this is a registry that lets us in (§ Determining Support)."""
        self.request("GET", "/v2/")

    def catalog(self, page: int = 100) -> Iterator[str]:
        """All repositories, asked for `page` at a time, as they are needed."""
        return self._pages(f"/v2/_catalog?n={page}", "repositories")

    def tags(self, repository: str) -> Iterator[str]:
        """All tags of a repository, asked for as they are needed (§ Listing Tags)."""
        return self._pages(f"/v2/{repository}/tags/list", "tags")

    def manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest of a tag or digest, verified (§ Pulling Manifests)."""
        answer = self.request("GET", f"/v2/{repository}/manifests/{reference}", headers=_ACCEPT)
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
        answer = self.request("HEAD", path, headers=_ACCEPT)
        digest = answer.headers.get("docker-content-digest", "")
        size = answer.headers.get("content-length", "")
        if digest and size.isdecimal() and answer.media_type in MANIFESTS + INDEXES:
            digests.split(digest)
            return Descriptor(answer.media_type, digest, int(size))
        return self.manifest(repository, reference).descriptor

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest; its blobs must be there before."""
        answer = self.request(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            expect=(201,),
            headers={"Content-Type": manifest.media_type},
            content=manifest.raw,
        )
        stored = answer.headers.get("docker-content-digest", manifest.digest)
        if stored.startswith("sha256:") and stored != manifest.digest:
            raise DigestMismatch(manifest.digest, stored)

    def delete(self, repository: str, reference: str) -> None:
        """Delete a manifest by digest with all its tags, or one tag if the registry can."""
        path = f"/v2/{repository}/manifests/{reference}"
        self.request("DELETE", path, expect=(200, 202, 204))

    def delete_blob(self, repository: str, digest: str) -> None:
        """Delete a blob."""
        self.request("DELETE", f"/v2/{repository}/blobs/{digest}", expect=(200, 202, 204))

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository holds a blob."""
        try:
            self.request("HEAD", f"/v2/{repository}/blobs/{digest}")
        except NotFound:
            return False
        return True

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
        answer = self.request(
            "POST",
            f"/v2/{repository}/blobs/uploads/",
            params={"mount": digest, "from": source},
            expect=(201, 202),
        )
        if answer.status == 202:  # an upload was begun instead
            with suppress(RegistryError):
                self.request("DELETE", answer.location, expect=(200, 202, 204))
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
            Sending(self, repository, descriptor, progress).send(file)

    def request(
        self,
        method: str,
        target: str,
        *,
        expect: Collection[int] = (200,),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: Body = b"",
    ) -> Answer:
        """One exchange with a small answer; `target` is a path, or an address that was given.

        Raises RegistryError for any status that is not in `expect`.
        """
        with self._send(method, target, headers, params, content) as response:
            answer = _answer(response, method, _read(response))
        answer.judge(expect)
        return answer

    def _pages(self, first: str, key: str) -> Iterator[str]:
        target: str | None = first
        seen = set()
        while target:
            seen.add(target)
            answer = self.request("GET", target)
            yield from answer.names(key)
            target = answer.next
            if target in seen:
                raise answer.invalid("its next page is one that was already read")

    def _range(self, repository: str, descriptor: Descriptor, start: int) -> Iterator[bytes]:
        """One attempt at the bytes from `start`; never more than the descriptor promises."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        path = f"/v2/{repository}/blobs/{descriptor.digest}"
        with self._send("GET", path, headers) as response:
            if response.status_code not in (200, 206):
                _answer(response, "GET", _read(response)).judge(())
            begin = _begin(_answer(response, "GET"), start)
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

    @contextmanager
    def _send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: Body = b"",
    ) -> Iterator[httpx.Response]:
        """An answer to read from; the login goes along only to the registry itself."""
        origin = self._find()
        try:
            url = origin.join(target).copy_merge_params(params or {})
        except httpx.InvalidURL:
            reason = f"it gives an address that is none: {target}"
            raise RegistryError(0, INVALID, reason, method=method, url=str(origin)) from None
        auth = self._auth if _server(url) == _server(origin) else None
        with self._exchange(method, url, headers, content, auth) as response:
            yield response

    def _find(self) -> httpx.URL:
        """The registry's address, with the scheme that it turns out to speak."""
        with self._lock:
            if self._origin is None:
                self._origin = self._probe()
            return self._origin

    def _probe(self) -> httpx.URL:
        """Asks for /v2/ before anything else, as docker does and names in its errors."""
        failure: Unavailable | None = None
        for scheme in self._schemes:
            url = httpx.URL(f"{scheme}://{_HUB.get(self.host, self.host)}/v2/")
            try:
                if self._speaks(url):
                    return url
            except Unavailable as error:
                failure = failure or error
        raise failure or Unavailable("EOF", method="GET", url=str(url))

    def _speaks(self, url: httpx.URL) -> bool:
        with self._exchange("GET", url) as response:
            # What servers say to HTTP on their TLS port.
            tls = url.scheme == "http" and response.status_code == 400
            return not (tls and b"HTTPS" in _read(response))

    @contextmanager
    def _exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str] | None = None,
        content: Body = b"",
        auth: httpx.Auth | None = None,
    ) -> Iterator[httpx.Response]:
        count = _Count()
        body = content if isinstance(content, bytes) else count.passing(content)
        started = time.perf_counter()
        status = received = 0
        request = self._http.build_request(method, url, headers=headers, content=body or None)
        try:
            response = self._http.send(
                request, stream=True, auth=auth, follow_redirects=method in ("GET", "HEAD")
            )
            status = response.status_code
            try:
                yield response
            finally:
                received = response.num_bytes_downloaded
                response.close()
        except httpx.HTTPError as error:
            dialling = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            raise unavailable(
                error, method, str(url), dialling=dialling, begun=status > 0
            ) from error
        finally:
            if self._observe:
                sent = len(content) if isinstance(content, bytes) else count.size
                spent = (time.perf_counter() - started) * 1000
                self._observe(Exchange(method, url.path, status, sent, received, spent))


class _Count:
    """Counts the bytes of chunks that pass."""

    size = 0

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.size += len(chunk)
            yield chunk


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _answer(response: httpx.Response, method: str, body: bytes = b"") -> Answer:
    return Answer(method, str(response.url), response.status_code, response.headers, body)


def _begin(answer: Answer, asked: int) -> int:
    """The position in the blob where an answer to a request from `asked` on begins."""
    if answer.status == 200:  # the registry knows no ranges
        return 0
    if not answer.headers.get("content-range", "").startswith(f"bytes {asked}-"):
        raise answer.invalid(f"its Content-Range is not the one asked for, {asked}-")
    return asked


def _read(response: httpx.Response) -> bytes:
    """A body that should be small, and is an error if it is not."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > SIZE_LIMIT:
            raise _answer(response, response.request.method).invalid(
                f"it is longer than {SIZE_LIMIT} bytes"
            )
    return bytes(body)


def _specific(media_type: str) -> str:
    """A Content-Type, or nothing if it says no more than that something came."""
    return "" if media_type in _VAGUE else media_type
