"""Requests as events: out of real logs, ours and the real registry's, and from a client."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from dockerlab.registry.client import Registry
from dockerlab.registry.events import Event, observed, parse
from tests.servers import (
    OCI_MANIFEST,
    RunningServer,
    push_blob,
    push_image,
    sha256,
    start_real_registry,
    start_server,
)

OURS = "dockerlab"
REAL = "docker-registry"
LAYER = bytes(5000)


@pytest.fixture(params=[OURS, REAL])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, need: Callable[[str], str]
) -> Iterator[RunningServer]:
    """A registry of each kind."""
    if request.param == OURS:
        with start_server(tmp_path) as ours:
            yield ours
    else:
        with start_real_registry(need(REAL), tmp_path) as real:
            yield real


def read(server: RunningServer) -> list[Event]:
    """What the log tells once the registry has ended."""
    server.stop()
    return parse(server.lines)


def raw(server: RunningServer, request: bytes) -> None:
    """Send bytes and read whatever comes."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as wire, suppress(OSError):
        wire.sendall(request)
        while wire.recv(65536):
            pass


def test_each_request_is_told_once(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url) as http:
        http.get("/v2/")
        push_image(http, "app/web", "1", LAYER)
        http.head("/v2/app/web/manifests/1", headers={"Accept": OCI_MANIFEST})
        http.get(f"/v2/app/web/blobs/{sha256(LAYER)}")
        http.get(f"/v2/app/web/blobs/{sha256(LAYER)}", headers={"Range": "bytes=0-9"})
        http.get("/v2/app/web/manifests/none")
        http.get("/v2/nowhere/tags/list?n=3")
    events = [event for event in read(server) if event.path != "/"]
    shapes = [(event.method, event.target.split("/")[-2], event.status) for event in events]
    assert shapes == [
        ("GET", "v2", 200),
        *[("POST", "uploads", 202), ("PUT", "uploads", 201)] * 2,
        ("PUT", "manifests", 201),
        ("HEAD", "manifests", 200),
        ("GET", "blobs", 200),
        ("GET", "blobs", 206),
        ("GET", "manifests", 404),
        ("GET", "tags", 404),
    ]
    assert {event.side for event in events} == {"server"}
    assert all(event.milliseconds and 0 < event.milliseconds < 60_000 for event in events)
    assert [event.received for event in events[6:9]] == [0, len(LAYER), 10]
    assert events[4].query["digest"] == sha256(LAYER)
    assert events[-1].query == {"n": "3"}


def test_ours_counts_what_really_went_and_came(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        started = http.post("/v2/a/blobs/uploads/").headers["Location"]
        http.patch(started, content=iter([b"x" * 700, b"y" * 500]))  # in chunks, without a length
        push_blob(http, "a", LAYER)
        http.head(f"/v2/a/blobs/{sha256(LAYER)}")
        post, patch, _, put, head = read(server)
    assert (post.sent, patch.sent, put.sent, head.sent) == (0, 1200, len(LAYER), 0)
    assert head.received == 0


@pytest.mark.parametrize("form", ["json", "logstash", "text"])
def test_lines_of_every_form(form: str, tmp_path: Path) -> None:
    env = {"REGISTRY_LOG_FORMATTER": form, "REGISTRY_LOG_FIELDS_SERVICE": "registry"}
    with start_server(tmp_path, env=env) as server:
        httpx.get(f"{server.url}/v2/")
        (event,) = read(server)
    (line,) = (line for line in server.lines if "http.request.uri" in line)
    assert (event.path, event.status) == ("/v2/", 200) and event.milliseconds
    if form == "text":
        assert " service=registry " in line
    else:
        assert json.loads(line)["service"] == "registry"


def test_lines_of_registry_3() -> None:
    line = (
        'time="2026-01-01T10:00:00.1Z" level=info msg="response completed" '
        'go.version=go1.24.5 http.request.host="localhost:5000" http.request.id=7d http.request.'
        'method=GET http.request.remoteaddr="172.17.0.1:4" http.request.uri=/v2/ http.request.'
        'useragent="curl \\"8\\"" http.response.contenttype=application/json '
        'http.response.duration="931.7µs" http.response.status=200 http.response.written=2 '
        "instance.id=1 service=registry version=3.0.0"
    )
    assert parse([line]) == [Event("server", "GET", "/v2/", 200, None, 2, 0.9317)]


@pytest.mark.parametrize(
    ("said", "milliseconds"), [("1.5s", 1500), ("2m3s", 123_000), ("1h0m0.5s", 3_600_500)]
)
def test_lengths_of_time(said: str, milliseconds: float) -> None:
    line = (
        'level=info msg="response completed" http.request.method=GET http.request.uri=/ '
        f"http.response.duration={said} http.response.status=200"
    )
    assert parse([line])[0].milliseconds == milliseconds


_QUIET = """\
import pathlib, sys
from dockerlab.registry.serve import configured, serve
serve(configured(None, pathlib.Path(sys.argv[1]), port=0), lambda port: print(port, flush=True))
"""


@contextmanager
def quiet_server(root: Path) -> Iterator[tuple[str, list[str]]]:
    """A registry that logs errors only, so not where it listens; its lines, once it has ended."""
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", _QUIET, str(root)],
        env={**os.environ, "REGISTRY_LOG_LEVEL": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", lines
        process.terminate()
        lines += process.stderr


def test_only_one_of_the_two_lines(tmp_path: Path) -> None:
    env = {"REGISTRY_LOG_ACCESSLOG_DISABLED": "true"}
    with start_server(tmp_path / "a", env=env) as server:
        httpx.get(f"{server.url}/v2/")
        assert len(read(server)) == 1
    assert "HTTP/1.1" not in server.log
    with quiet_server(tmp_path / "b") as (url, lines):
        httpx.get(f"{url}/v2/")
        httpx.get(f"{url}/v2/a/tags/list")
    fine, failed = parse(lines)
    assert fine.milliseconds is None and failed.milliseconds
    assert "level=info" not in "".join(lines)


def test_nothing_that_a_client_sends_forges_a_line(server: RunningServer) -> None:
    forged = '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /forged HTTP/1.1" 200 1 "" ""'
    quoted = f'x" {forged}'.encode()
    for hostile in (b"%0a" + forged.encode().replace(b" ", b"%20"), b"\xc2\x85", b'"x'):
        raw(server, b"GET /v2/" + hostile + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    for header in (quoted, b"\x85" + quoted, b"\xe2\x80\xa8" + quoted, b"a\tb", b"\x9b31m"):
        request = b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: "
        raw(server, request + header + b"\r\nReferer: " + header + b"\r\n\r\n")
    server.stop()
    lines = server.log.splitlines()  # at whatever anybody may take for a line's end
    assert not [event for event in parse(lines) if event.path == "/forged"]
    assert not [line for line in lines if re.match(r"\S+ - - \[[^]]*\] .GET /forged", line)]


def test_no_control_character_in_our_log(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        for code in (*range(1, 10), *range(11, 13), *range(14, 32), 127, 0x85, 0x9B):
            agent = b"a" + bytes([code]) + b"z"
            raw(
                server,
                b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: "
                + agent
                + b"\r\n\r\n",
            )
        server.stop()
    assert all(line.rstrip("\n").isprintable() for line in server.lines)


def test_no_secret_in_our_log(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        for name in ("token", "access_token", "X-Amz-Signature", "Password", "to%6Ben", "code"):
            http.get(f"/v2/?n=1&{name}=hidden1&last=b")
        headers = {
            "Authorization": "Bearer hidden2",
            "Referer": "http://me:hidden3@host/?token=hidden4",
            "Cookie": "hidden5",
        }
        http.get("/v2/", headers=headers)
        events = read(server)
    assert "hidden" not in server.log
    assert events[0].query == {"n": "1", "token": "REDACTED", "last": "b"}


def test_a_long_path_makes_no_long_line(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        httpx.get(f"{server.url}/v2/{'a' * 20_000}", headers={"User-Agent": "b" * 20_000})
        (event,) = read(server)
    assert event.status in (400, 404) and max(map(len, server.lines)) < 10_000


def test_lines_that_are_none_are_passed_over() -> None:
    lines = [
        *("", "text", "{", '{"a": 1}', '{"http.response.status": []}', "[" * 9999),
        'msg="response completed" http.response.status=x http.request.method=GET',
        'msg="response completed" http.response.status=200',
        '127.0.0.1 - - [x] "GET / HTTP/1.1" 20',
        '{"msg": "response completed", "http.response.status": {}, "http.request.method": "GET"}',
    ]
    assert parse(lines) == []


def test_a_client_sees_what_its_registry_tells(tmp_path: Path) -> None:
    seen: list[Event] = []
    with start_server(tmp_path) as server:
        with httpx.Client(base_url=server.url) as http:
            push_image(http, "a", "1", LAYER)
        known = len(parse(server.lines))
        with Registry(
            server.address, observe=lambda exchange: seen.append(observed(exchange))
        ) as registry:
            list(registry.tags("a"))
            registry.find_blob("a", sha256(LAYER))
            registry.has_blob("a", sha256(b"?"))
        told = read(server)[known:]
    assert [(each.method, each.path, each.status) for each in seen] == [
        ("GET", "/v2/", 200),
        ("GET", "/v2/a/tags/list", 200),
        ("HEAD", f"/v2/a/blobs/{sha256(LAYER)}", 200),
        ("HEAD", f"/v2/a/blobs/{sha256(b'?')}", 404),
    ]
    assert {each.host for each in seen} == {server.address}
    facts = [(each.method, each.path, each.status, each.sent, each.received) for each in seen]
    assert facts == [(e.method, e.path, e.status, e.sent, e.received) for e in told[-4:]]


def test_the_two_lines_of_a_request_may_come_in_either_order() -> None:
    told = (
        'time="2026-01-01T10:00:00Z" level=info msg="response completed" http.request.method=GET '
        "http.request.uri=/v2/ http.response.duration=2ms http.response.status=200"
    )
    access = '127.0.0.1 - - [01/Jan/2026:10:00:00 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "curl"'
    for lines in ([told, access] * 2, [access, told] * 2, [access, access, told, told]):
        assert [event.milliseconds for event in parse(lines)] == [2, 2]
    assert [event.received for event in parse([access, access])] == [2, 2]
