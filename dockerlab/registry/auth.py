"""Logins as registries ask for them: basic, or a bearer token that another server gives.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass

import httpx

from dockerlab.errors import RegistryError
from dockerlab.registry.answers import Answer

_BASIC = re.compile(r"(?:^|,\s*)basic\b", re.IGNORECASE)
_SCHEME = re.compile(r"(?:^|,\s*)bearer\s+(.*)", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))')
_REPOSITORY = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags|referrers)/")
_PLAIN = re.compile(r"[!-~]+")
_LIFE = 60  # seconds that a token lives if nothing is said
_MARGIN = 5
FOR_TOKEN = "dockerlab.token"  # marks a request for a token
GIVEN = "dockerlab.given"  # the answer to it, at the request that it was for
Exchanges = Generator[httpx.Request, httpx.Response, None]


@dataclass(frozen=True)
class _Token:
    text: str
    ends: float
    challenge: Mapping[str, str]


class RegistryAuth(httpx.Auth):
    """Answers a registry's challenges, as nobody where there is no user name.

    A token is used again for the same repository, to read or to write, until it ends. A password
    goes nowhere but where a challenge asks for it.
    """

    def __init__(self, username: str = "", password: str = "") -> None:
        self._basic = httpx.BasicAuth(username, password) if username else None
        self._tokens: dict[tuple[str, bool], _Token] = {}
        self._wants_basic = False

    def heed(self, response: httpx.Response) -> None:
        """Remember which kind of login an answer asks for."""
        headers = response.headers.get_list("www-authenticate")
        if response.status_code == 401 and any(map(_BASIC.search, headers)):
            self._wants_basic = not _challenge(headers)

    def sync_auth_flow(self, request: httpx.Request) -> Exchanges:
        """The request, and if need be one for a token and the request once more."""
        purpose = _purpose(request)
        token = self._tokens.get(purpose)
        if token and token.ends < time.monotonic():
            token = yield from self._ask(purpose, token.challenge, request)
        self._sign(request, token)
        response = yield request
        challenge = _challenge(response.headers.get_list("www-authenticate"))
        again = isinstance(request.stream, httpx.ByteStream)  # the body was not used up
        if response.status_code == 401 and challenge and again:
            self._sign(request, (yield from self._ask(purpose, challenge, request)))
            yield request
        elif again and self._basic and "authorization" not in request.headers:
            self.heed(response)
            if self._wants_basic:
                self._sign(request, None)
                yield request

    def _sign(self, request: httpx.Request, token: _Token | None) -> None:
        if token:
            request.headers["Authorization"] = f"Bearer {token.text}"
        elif self._basic and self._wants_basic:
            next(self._basic.auth_flow(request))

    def _ask(
        self, purpose: tuple[str, bool], challenge: Mapping[str, str], request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, _Token]:
        """A new token; raises, as of the request itself, why there is none."""
        try:
            token = _Token(*(yield from self._given(challenge, request)), challenge)
        except RegistryError as error:
            error.of_token = True
            error.method, error.url = request.method, str(request.url)
            raise
        self._tokens[purpose] = token
        return token

    def _given(
        self, challenge: Mapping[str, str], request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, tuple[str, float]]:
        """What the token server gives, and when it ends."""
        wanted = {"scope": challenge.get("scope", "").split()}
        if "service" in challenge:
            wanted["service"] = [challenge["service"]]
        try:
            url = httpx.URL(challenge["realm"])
            address = url.copy_merge_params(wanted)
            asking = httpx.Request("GET", address, extensions={FOR_TOKEN: True})
        except httpx.InvalidURL:
            raise _answer(request).invalid("its realm is no address") from None
        secure = url.scheme == "https" or request.url.scheme == "http"
        if self._basic and secure:
            next(self._basic.auth_flow(asking))
        response = yield asking
        request.extensions[GIVEN] = response  # for who observes, if there is no token in it
        answer = _answer(asking, response, response.read())
        if answer.status == 404:  # not that an image is missing
            raise answer.invalid("the token server is not there")
        answer.judge((200,))
        return _read(answer)


def _purpose(request: httpx.Request) -> tuple[str, bool]:
    """The repository that a request is about, and whether it writes."""
    match = _REPOSITORY.match(request.url.path)
    return match[1] if match else "", request.method not in ("GET", "HEAD")


def _challenge(headers: Iterable[str]) -> dict[str, str]:
    """The parameters of the first Bearer challenge; empty if there is none with a realm."""
    for header in headers:
        if found := _SCHEME.search(header):
            parameters: dict[str, str] = {}
            for name, quoted, plain in _PARAMETER.findall(found[1]):
                parameters.setdefault(name.lower(), quoted or plain)
            return parameters if "realm" in parameters else {}
    return {}


def _read(answer: Answer) -> tuple[str, float]:
    """The token of an answer, and when it ends."""
    try:
        data = json.loads(answer.body)
        token = data.get("token") or data["access_token"]
        life = float(data.get("expires_in") or _LIFE)
        if not _PLAIN.fullmatch(token):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise answer.invalid("it holds no token") from None
    return token, time.monotonic() + life - _MARGIN


def _answer(
    request: httpx.Request, response: httpx.Response | None = None, body: bytes = b""
) -> Answer:
    status = response.status_code if response else 401
    return Answer(
        request.method, str(request.url), status, response.headers if response else {}, body
    )
