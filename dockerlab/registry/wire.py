"""HTTP with one registry: finds out how it speaks, and turns every failure into one of ours."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import httpx

from dockerlab import __version__
from dockerlab.errors import RegistryError, Unavailable
from dockerlab.image.manifest import SIZE_LIMIT
from dockerlab.registry.answers import INVALID, Answer, warnings
from dockerlab.registry.auth import FOR_TOKEN, GIVEN, RegistryAuth
from dockerlab.registry.exchange import Exchange, exchanged, is_json, note
from dockerlab.registry.failures import is_loopback, unavailable
from dockerlab.registry.network import Route, Transport
from dockerlab.registry.trust import Trust, careless
from dockerlab.registry.x509 import refusal

_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_HEADERS = {"User-Agent": f"dockerlab/{__version__}", "Accept-Encoding": "identity"}
_CONNECT = 15  # seconds
_WARNINGS = 100  # that are kept; who sends more means no good
SILENCE = 120  # seconds; a registry may hash gigabytes before it answers the end of an upload
Body = bytes | Iterable[bytes]


class Wire:
    """Requests to the registry `host`, which may speak HTTP only if it is on this machine.

    So may the hosts in `insecure`; and where HTTP is allowed, any certificate is good enough.
    Elsewhere `trust` says which are. `route` says where connections to a host really go. With a
    `scheme`, it speaks that one and is not asked; https is then always verified. `silence` is how
    many seconds it may say nothing.
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
        loopback = is_loopback(host)
        lenient = loopback or bool({host, host.rpartition(":")[0]} & set(insecure))
        relaxed = lenient and not scheme
        self._schemes = ("http", "https") if relaxed else ("https",)
        self._auth = RegistryAuth(username, password)
        self._observe = observe
        self.warnings: dict[str, None] = {}  # what answers warned of, each once, in order
        self._origin = httpx.URL(self._base(scheme)) if scheme else None
        self._lock = threading.Lock()
        self._route = route
        self._trust = careless() if relaxed else (trust or Trust()).context()
        # A proxy of the environment is for other hosts, and only httpx's own transport takes it.
        ours = Transport(self._trust, route) if loopback or route else None
        self._http = httpx.Client(
            verify=self._trust,
            headers=_HEADERS,
            timeout=httpx.Timeout(silence, connect=min(silence, _CONNECT), pool=None),
            transport=transport or ours,
            event_hooks={"response": [note]} if observe else {},
        )

    def close(self) -> None:
        """End all connections."""
        self._http.close()

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
        with self.send(method, target, headers, params, content) as response:
            answer = answer_of(response, read(response))
        answer.judge(expect)
        return answer

    @contextmanager
    def send(
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

    def look(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Ask, only for who observes: any answer will do, and only JSON is read."""
        with self.send(method, target, headers) as response:
            if is_json(response.headers):
                read(response)

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
            url = httpx.URL(self._base(scheme))
            if (url.port or 0) > 65535:
                detail = f"dial tcp: address {url.port}: invalid port"
                raise Unavailable(detail, method="GET", url=str(url))
            try:
                if self._speaks(url):
                    return url
            except Unavailable as error:
                failure = failure or error
        raise failure or Unavailable("EOF", method="GET", url=str(url))

    def _base(self, scheme: str) -> str:
        return f"{scheme}://{_HUB.get(self.host, self.host)}/v2/"

    def _speaks(self, url: httpx.URL) -> bool:
        with self._exchange("GET", url) as response:
            self._auth.heed(response)
            body = read(response)  # to its end: the connection can be used again
            # What servers say to HTTP on their TLS port.
            tls = url.scheme == "http" and response.status_code == 400
            return not (tls and b"HTTPS" in body)

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
        status, answered = 0, None
        request = self._http.build_request(method, url, headers=headers, content=body or None)
        try:
            response = self._http.send(
                request, stream=True, auth=auth, follow_redirects=method in ("GET", "HEAD")
            )
            status, answered = response.status_code, response
            self._heed(response)
            started += self._tell_history(response)
            try:
                yield response
            finally:
                response.close()
        except httpx.HTTPError as error:
            dialling = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            token = error.request if FOR_TOKEN in error.request.extensions else None
            asked = str(token.url) if token else str(url)
            doubt = partial(self._doubt, error.request.url)
            failure = unavailable(
                error, method, asked, dialling=dialling, begun=status > 0, doubt=doubt
            )
            if token:
                reason = f'Get "{asked}": {failure.detail}'
                failure = Unavailable(reason, method=method, url=str(url))
            raise failure from error
        except RegistryError as error:
            if not status:  # of the server that was asked for a token
                status, answered = error.status, request.extensions.get(GIVEN)
                started += self._tell_history(answered) if answered else 0
            raise
        finally:
            if self._observe:
                sent = len(content) if isinstance(content, bytes) else count.size
                known = content if isinstance(content, bytes) else b""
                spent = (time.perf_counter() - started) * 1000
                last = answered.request if answered else request
                self._observe(exchanged(last, known, answered, status, sent, spent))

    def _doubt(self, url: httpx.URL, error: ssl.SSLCertVerificationError) -> str:
        """Why the certificate of a server is not trusted."""
        port = url.port or 443
        where = self._route(url.host, port) if self._route else url.host
        return refusal(error, url.host, (where, port), self._trust)

    def _heed(self, response: httpx.Response) -> None:
        """Keep what this answer warns of, and those that led to it."""
        for answer in (*response.history, response):
            for text in warnings(answer.headers.get_list("warning")):
                if len(self.warnings) < _WARNINGS:
                    self.warnings.setdefault(text)

    def _tell_history(self, response: httpx.Response) -> float:
        """What led to this answer, logins and redirections; gives the seconds that it took."""
        spent = 0.0
        for earlier in response.history if self._observe else ():
            request, seconds = earlier.request, earlier.elapsed.total_seconds()
            spent += seconds
            content, status = request.content, earlier.status_code
            assert self._observe
            self._observe(
                exchanged(request, content, earlier, status, len(content), seconds * 1000)
            )
        return spent


class _Count:
    """Counts the bytes of chunks that pass."""

    size = 0

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.size += len(chunk)
            yield chunk


def answer_of(response: httpx.Response, body: bytes = b"") -> Answer:
    """The facts of a response."""
    method, url = response.request.method, str(response.url)
    signed = "authorization" in response.request.headers
    return Answer(method, url, response.status_code, response.headers, body, signed)


def read(response: httpx.Response) -> bytes:
    """A body that should be small, and is an error if it is not."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > SIZE_LIMIT:
            raise answer_of(response).invalid(f"it is longer than {SIZE_LIMIT} bytes")
    return bytes(body)


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
