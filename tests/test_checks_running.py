"""The checks of lesson 4 in each state that they have words for, against registries that run."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from benches import Bench, unseen

from dockerlab.course import checks
from dockerlab.course.checks import running
from dockerlab.engine.credentials import Login
from dockerlab.engine.embedded import Embedded
from dockerlab.registry.htpasswd import add
from tests.containing import free_port

PASSWORD = "shapla-123"
DELETE = "-e REGISTRY_STORAGE_DELETE_ENABLED=true"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "home")
    made.images.add_sample("my-image", "my-image")
    yield made
    made.reset()


@pytest.fixture
def bench(engine: Embedded) -> Bench:
    """A bench where nobody answers yet at the registry's address."""
    return Bench(engine, f"localhost:{free_port()}")


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the third registry is to answer: a port that is free."""
    port = free_port()
    monkeypatch.setattr(running, "_PORT", str(port))
    return port


@pytest.fixture
def stranger() -> Iterator[Callable[[int], int]]:
    """A web server that answers everything with one status, as AirPlay does with 403; its port."""
    servers = []

    def start(status: int) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return int(servers[-1].server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def port(bench: Bench) -> str:
    return bench.address.rpartition(":")[2]


def start(bench: Bench, more: str = "") -> None:
    """Run the learner's registry."""
    bench.docker(f"run -d -p {port(bench)}:5000 --name registry {more} registry:2")


def ask(bench: Bench, path: str) -> int:
    """The status of an answer."""
    try:
        with closing(urlopen(f"http://{bench.address}/v2/{quote(path)}")) as reply:
            return int(reply.status)
    except HTTPError as error:
        error.close()
        return error.code


def lock(bench: Bench, folder: Path) -> Path:
    """Run the learner's registry with a password; the file that names who may enter."""
    add(folder / "htpasswd", "rahima", PASSWORD)
    settings = "-e REGISTRY_AUTH=htpasswd -e REGISTRY_AUTH_HTPASSWD_REALM=lab"
    path = "-e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd"
    start(bench, f"-v {folder}:/auth {settings} {path}")
    return folder / "htpasswd"


def test_registry_runs(bench: Bench) -> None:
    assert bench.check("registry-runs") == "no-registry"
    start(bench)
    assert bench.check("registry-runs") == "ok"


@pytest.mark.parametrize(("status", "key"), [(403, "stranger"), (404, "stranger"), (401, "ok")])
def test_a_stranger_on_the_port(
    status: int, key: str, engine: Embedded, stranger: Callable[[int], int]
) -> None:
    bench = Bench(engine, f"127.0.0.1:{stranger(status)}")
    assert bench.check("registry-runs") == key
    assert bench.check("locked") == {401: "ok"}.get(status, "trouble")
    if status != 404:
        assert bench.check("push") == "trouble"


def test_trace(bench: Bench) -> None:
    assert bench.check("trace") == "no-registry"
    start(bench)
    assert ask(bench, "_catalog") == 200
    assert ask(bench, "nobody/tags/list") == 404
    assert bench.check("trace") == "no-trace"
    for name in ("Rahima", "রহিমা", "ra hima"):
        assert ask(bench, f"{name}/tags/list") in (400, 404)
        assert bench.check("trace") == "invalid"
        outcome = checks.run("trace", bench.engine)
        assert outcome.facts["name"] == name
    assert ask(bench, "team/rahima/tags/list") == 404
    assert bench.check("trace") == "ok"
    assert checks.run("trace", bench.engine).facts["name"] == "team/rahima"
    bench.docker("stop registry")
    assert bench.check("trace") == "no-registry"


def test_what_is_there_is_no_trace(bench: Bench) -> None:
    """A browser of the registry asks for the tags of all that there is."""
    start(bench)
    bench.send("my-image")
    assert ask(bench, "my-image/tags/list") == 200
    assert bench.check("trace") == "no-trace"


def test_a_trace_at_a_locked_door(bench: Bench, tmp_path: Path) -> None:
    lock(bench, tmp_path / "auth")
    assert ask(bench, "rahima/tags/list") == 401
    assert bench.check("trace") == "ok"


def test_third_registry(bench: Bench, third: int) -> None:
    assert bench.check("third-registry") == "no-container"
    bench.docker("run -d --name third registry:2")
    assert bench.check("third-registry") == "no-port"
    bench.docker("stop third")
    assert bench.check("third-registry") == "stopped"
    bench.docker("rm third")
    bench.docker(f"run -d -p {free_port()}:5000 --name third {DELETE} registry:2")
    assert bench.check("third-registry") == "other-port"
    bench.docker("rm -f third")
    bench.docker(f"run -d -p {third}:5000 --name third registry:2")
    assert bench.check("third-registry") == "no-setting"
    bench.docker("rm -f third")
    bench.docker(f"run -d -p {third}:5000 --name third {DELETE} registry:2")
    assert bench.check("third-registry") == "ok"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_stranger_in_the_place_of_the_third(
    status: int,
    bench: Bench,
    stranger: Callable[[int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "_PORT", str(stranger(status)))
    assert bench.check("third-registry") == "stranger"


def test_locked(bench: Bench, tmp_path: Path) -> None:
    assert bench.check("locked") == "no-registry"
    start(bench)
    assert bench.check("locked") == "open"
    bench.docker("rm -f registry")
    lock(bench, tmp_path / "auth")
    assert bench.check("locked") == "ok"


def test_locked_is_seen_by_who_is_logged_in_too(bench: Bench, tmp_path: Path) -> None:
    lock(bench, tmp_path / "auth")
    bench.engine.credentials.store(bench.address, Login("rahima", PASSWORD))
    assert bench.check("locked") == "ok"


@pytest.mark.parametrize(
    "answer", [None, "", ("", ""), ("karim", ""), ("karim",), "karim", ("karim", 5), {"a": "b"}]
)
def test_no_second_user(answer: Any, bench: Bench) -> None:
    assert bench.check("second-user", answer) == "empty"


def test_second_user(bench: Bench, tmp_path: Path) -> None:
    answer = ("karim", "doel-456")
    assert bench.check("second-user", answer) == "no-registry"
    start(bench)
    assert bench.check("second-user", answer) == "open"
    bench.docker("rm -f registry")
    file = lock(bench, tmp_path / "auth")
    assert bench.check("second-user", answer) == "refused"
    assert bench.check("second-user", ("rahima", PASSWORD)) == "first"
    add(file, *answer)
    assert bench.check("second-user", ("karim", "doel-45")) == "refused"
    assert bench.check("second-user", answer) == "ok"
    assert bench.check("second-user", [" karim ", "doel-456"]) == "ok"


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "04-run-your-own-registry") == set()
