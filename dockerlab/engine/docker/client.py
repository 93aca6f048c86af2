"""docker's own client, whose mistakes are docker's words, also those within a stream."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockerlab.engine.base import Chunk, Json
from dockerlab.engine.words import Refused
from dockerlab.errors import EngineError, Unreachable

if TYPE_CHECKING:
    from dockerlab.engine.container import Container
    from dockerlab.engine.docker.address import Address

_GONE = (ConnectionError, FileNotFoundError, TimeoutError)
_BELOW = ("docker.", "urllib3.")  # whose exceptions tell of a connection
_NO_WAY = (socket.gaierror, ssl.SSLError)


class Missing(Refused):
    """The engine has not got what it was asked for (404)."""


class Client:
    """`client.METHOD(…)` is docker.APIClient's; errors are EngineError in docker's words."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            with self._words():
                return getattr(self._api, name)(*arguments, **options)

        return call

    def steps(self, method: str, *arguments: Any, **options: Any) -> Iterator[Json]:
        """What the engine tells while it works; EngineError if it tells of an error."""
        with self._words():
            yield from _told(getattr(self._api, method)(*arguments, **options))

    @contextmanager
    def telling(
        self, path: str, registry: str, params: Json
    ) -> Iterator[tuple[Iterator[Json], Callable[[], None]]]:
        """A pull or a push as `steps`, and what cuts it off, from another thread if need be."""
        from docker import auth
        from docker.types import CancellableStream

        header = {"X-Registry-Auth": auth.encode_header(self.credentials(registry))}
        with closing(self._ask("POST", path, params, header)) as answer:

            def cut() -> None:
                with suppress(Exception):  # over already, or over SSH, which cannot be cut
                    CancellableStream(None, answer).close()

            def steps() -> Iterator[Json]:
                with self._words():
                    yield from _told(self._api._stream_helper(answer, decode=True))

            yield steps(), cut

    def ask(self, method: str, path: str, **params: Any) -> Any:
        """A request of the engine that the SDK has no method for; its answer, to be read."""
        return self._ask(method, path, params, {})

    def _ask(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, Any]
    ) -> Any:
        import docker.errors

        with self._words():
            url = f"{self._api.base_url}/v{self._api.api_version}{path}"
            answer = self._api.request(
                method, url, params=params, headers=headers, stream=True, timeout=None
            )
            if not answer.ok:
                raise docker.errors.APIError("", answer, answer.json()["message"])
            return answer

    def read(self, answer: Any) -> Any:
        """The JSON that an answer is."""
        with self._words():
            return answer.json()

    def pieces(self, answer: Any) -> Iterator[bytes]:
        """The bytes of an answer, when they come."""
        with self._words():
            yield from answer.iter_content(1024 * 1024)

    def frames(self, answer: Any, container: Container) -> Iterator[Chunk]:
        """What a container writes, out of an answer to logs or attach, when it comes.

        Without a terminal of its own (`-t`), its two streams come as one, in frames of a header:
        which stream (1 byte), nothing (3), how long (4).
        """
        with self._words():
            if container.config.get("Tty"):
                yield from ((False, piece) for piece in answer.iter_content(1))
                return
            while len(header := answer.raw.read(8)) == 8:
                yield header[0] == 2, answer.raw.read(int.from_bytes(header[4:], "big"))

    def credentials(self, registry: str) -> Json:
        """The login for a registry in the lab's own docker config; {} if there is none."""
        from docker import auth

        from dockerlab.engine.docker.config import folder

        with self._words():
            logins = auth.load_config(str(folder() / "config.json"))
            return logins.resolve_authconfig(registry) or {}

    @cached_property
    def _api(self) -> Any:
        return self._address.client()

    @contextmanager
    def _words(self) -> Iterator[None]:
        """Docker's words for whatever goes wrong."""
        import docker.errors

        try:
            yield
        except docker.errors.APIError as error:
            said = error.explanation or str(error)
            raise (Missing if error.status_code == 404 else Refused)(said) from None
        except Exception as error:
            if isinstance(error, OSError) or type(error).__module__.startswith(_BELOW):
                raise _unconnected(error, self._address.url) from None
            raise


def _told(steps: Iterator[Json]) -> Iterator[Json]:
    for step in steps:
        if "error" in step:
            raise EngineError(str(step["error"]))
        if "message" in step:  # the SDK does not look at the status of an answer
            raise Refused(str(step["message"]))
        yield step


def _unconnected(error: BaseException, url: str) -> EngineError:
    """Why the engine did not answer, as docker's CLI tells it."""
    causes = [error]
    while (before := causes[-1].__cause__ or causes[-1].__context__) and before not in causes:
        causes.append(before)
    if any(isinstance(cause, PermissionError) for cause in causes):
        words = "permission denied while trying to connect to the Docker daemon socket at"
        return EngineError(f"{words} {url}")
    gone, no_way = (any(isinstance(one, kinds) for one in causes) for kinds in (_GONE, _NO_WAY))
    if no_way or (type(error).__module__.startswith("docker") and not gone):
        return EngineError(f"error during connect: {error}")
    return Unreachable(url)
