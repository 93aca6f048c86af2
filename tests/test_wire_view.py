"""What one docker command sends, as it is shown: complete, explained, the same each time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dockerlab import i18n, lab
from dockerlab.engine.credentials import Login
from dockerlab.engine.observing import observer, observing
from dockerlab.errors import EngineError
from dockerlab.registry import repeating
from dockerlab.registry.client import Registry
from dockerlab.registry.events import Event
from dockerlab.registry.exchange import BODY_LIMIT, Exchange, Message
from dockerlab.widgets.lines import Line, lines_of
from dockerlab.widgets.traffic import ARROWS, LIMIT
from dockerlab.widgets.wire import WireView
from tests.containing import until
from tests.dockers import Docker
from tests.servers import RunningServer, push_image, start_server
from tests.test_engine_docker import REGISTRY, registry_tar
from tests.test_widgets import Balanced

USER, PASSWORD = "mina", "s3cret: গোপন"
PUSH = """\
GET 200
GET 200
HEAD 404
POST 202
PATCH 202
PUT 201
HEAD 404
POST 202
PATCH 202
PUT 201
HEAD 404
POST 202
PATCH 202
PUT 201
HEAD 404
POST 202
PATCH 202
PUT 201
PUT 201""".splitlines()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    """The command line of a lab of its own."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    lab.begin("05-tag-push-pull")
    yield Docker(tmp_path)
    lab.reset()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "root") as running:
        yield running


@pytest.fixture
def private(tmp_path: Path) -> Iterator[RunningServer]:
    """A registry that lets `mina` in."""
    lab.htpasswd(str(tmp_path / "htpasswd"), USER, PASSWORD)
    env = {"REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "lab"}
    env["REGISTRY_AUTH_HTPASSWD_PATH"] = str(tmp_path / "htpasswd")
    with start_server(tmp_path / "private", env=env) as running:
        yield running


def named(docker: Docker, server: RunningServer, name: str = "my-image") -> str:
    """my-image by a name at that server."""
    docker.good("tag", "my-image", f"{server.address}/{name}")
    return f"{server.address}/{name}"


def told(view: WireView) -> list[str]:
    """Method and status of every row."""
    return [f"{line.method} {line.status}" for _number, line in view.lines]


def test_a_push_and_a_pull_are_seen_whole(docker: Docker, server: RunningServer) -> None:
    name = named(docker, server)
    view = lab.wire(f"docker push {name}")
    assert told(view) == PUSH
    assert view.title == f"docker push {name}" and view.status == 0 and "Pushed" in view.said
    assert [group.title.partition(" · ")[0] for group in view._groups if group.title] == [
        "config",
        "layer 1 of 3",
        "layer 2 of 3",
        "layer 3 of 3",
    ]
    known = {line.kind: line for _number, line in view.lines}
    assert '"layers": [' in known["manifest-put"].parts[0].body
    assert known["upload-chunk"].parts[0].rest.endswith("of layer data")
    assert view.hosts == [(server.address, "http")]
    docker.good("rmi", "my-image", name)
    pulled = lab.wire(f"pull {name}")
    assert set(told(pulled)) == {"GET 200"} and len(pulled.lines) >= 5
    assert '"layers": [' in pulled.lines[1][1].parts[1].body
    assert view.lines[1][1].milliseconds and not view.empty


def test_it_is_the_same_each_time(docker: Docker, tmp_path: Path) -> None:
    """Layers travel in any order, and uploads have new names each time."""
    shown = set()
    for number in range(10):
        lab.reset()
        lab.begin("05-tag-push-pull")
        with start_server(tmp_path / f"root{number}") as server:
            name = named(docker, server)
            push = lab.wire(f"push {name}")
            docker.good("rmi", "my-image", name)
            for view in (push, lab.wire(f"pull {name}")):
                assert view.status == 0
                for code in i18n.LANGUAGES:
                    i18n.choose(code)
                    for text in (repr(view), view.html()):
                        shown.add(text.replace(str(server.port), "5000"))
    assert len(shown) == 8  # two views, two languages, two forms
    for text in shown:
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|\d\d:\d\d:\d\d", text)
        assert text.startswith("docker ") or Balanced(text)


def test_what_failed_is_explained(docker: Docker, server: RunningServer) -> None:
    view = lab.wire(f"pull {server.address}/nope")
    assert told(view) == ["GET 200", "GET 404"] and view.status == 1
    assert "manifest unknown" in repr(view) and view.meaning
    assert "MANIFEST_UNKNOWN" in view.html() and "What it means" in view.html()
    nobody = lab.wire("pull localhost:9/nope")
    assert "connection refused" in repr(nobody)
    assert {line.event.status for _number, line in nobody.lines} == {0}
    assert nobody.lines[0][1].parts[1].line == "HTTP/1.1 no answer"
    assert "asked no registry" in repr(lab.wire("images -q"))
    assert "asked no registry" in repr(lab.wire("pull nginx"))  # of the Mini Hub
    with pytest.raises(EngineError, match="never closed"):
        lab.wire("pull 'x")
    for line in ("", "docker", "frobnicate", "push"):
        assert lab.wire(line).html()


def test_another_widgets_questions_are_none_of_its_business(
    docker: Docker, server: RunningServer
) -> None:
    heard: list[Exchange] = []
    with observing(heard.append):
        view = lab.wire(f"push {named(docker, server)}")
        assert not heard
        with lab.engine.connect(server.address) as registry:
            registry.ping()
    assert len(view.lines) == len(PUSH) and heard and observer() is None


def test_no_login_is_shown(docker: Docker, private: RunningServer) -> None:
    docker.engine.credentials.store(private.address, Login(USER, PASSWORD))
    view = lab.wire(f"push {named(docker, private)}")
    assert told(view)[:2] == ["GET 401", "GET 200"] and view.status == 0
    shown = [view.html()]
    for number, line in view.lines[1:]:
        assert ("Authorization", "Basic ••••") in line.exchange.request.headers  # type: ignore[union-attr]
        view.handle("open", str(number))
        shown.append(view.html(live=True))
    assert ("Authorization", "Basic ••••") not in view.lines[0][1].exchange.request.headers  # type: ignore[union-attr]
    basic = httpx.BasicAuth(USER, PASSWORD)._auth_header.partition(" ")[2]
    for text in (*shown, repr(view), repr(vars(view)), *map(str, view.lines)):
        assert PASSWORD not in text and basic not in text
    assert "••••" in lab.wire("login -u mina -p geheim localhost:9").title
    assert "geheim" not in lab.wire("login -u mina --password=geheim localhost:9").html()


def test_tokens_are_masked_at_the_source(tmp_path: Path, private: RunningServer) -> None:
    seen: list[Exchange] = []
    env = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
        "REGISTRY_AUTH_HTPASSWD_ANONYMOUS": "pull",
    }
    with start_server(tmp_path / "token", env=env) as server:
        given = httpx.get(f"{server.url}/token", auth=(USER, PASSWORD)).json()["token"]
        with Registry(
            server.address, username=USER, password=PASSWORD, observe=seen.append
        ) as registry:
            registry.ping()
            registry.look("GET", "/v2/?token=hunter2&n=1")
    assert seen[-1].query == "token=••••&n=1"
    (token,) = [each for each in seen if each.path == "/token"]
    assert '"token":"••••"' in token.response.body.replace(": ", ":")
    assert dict(token.request.headers)["Authorization"] == "Basic ••••"
    assert dict(seen[-1].request.headers)["Authorization"] == "Bearer ••••"
    assert "hunter2" not in repr(seen) and given[:20] not in str([vars(one) for one in seen])
    assert not repeating.can_repeat(seen[-1])
    assert "Authorization: Bearer TOKEN" in repeating.curl(seen[-2])


def test_a_refused_push_stands_before_its_token(tmp_path: Path, docker: Docker) -> None:
    env = {"REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "lab"}
    env |= {
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
        "REGISTRY_AUTH_HTPASSWD_ANONYMOUS": "pull",
    }
    lab.htpasswd(str(tmp_path / "htpasswd"), USER, PASSWORD)
    with start_server(tmp_path / "token", env=env) as server:
        docker.engine.credentials.store(server.address, Login(USER, PASSWORD))
        view = lab.wire(f"push {named(docker, server)}")
    kinds = [line.kind for _number, line in view.lines]
    refused = [line.event.status for _n, line in view.lines if line.kind == "upload-start"]
    assert view.status == 0 and kinds[:4] == ["ping", "ping", "token", "ping"]
    assert refused == sorted(refused, reverse=True)  # 401 first, then 202
    assert kinds[4] == "upload-start" and kinds[-1] == "manifest-put"
    assert "••••" in view.html() and PASSWORD not in view.html()


def test_bodies_are_kept_if_they_are_json_and_small(server: RunningServer) -> None:
    seen: list[Exchange] = []
    with httpx.Client(base_url=server.url) as http:
        push_image(http, "app", "1", b"layer")
        big = push_image(http, "app", "big", b"layer", annotations={"x": "y" * BODY_LIMIT})
    with Registry(server.address, observe=seen.append) as registry:
        registry.manifest("app", "1")
        found = registry.manifest("app", big)
        b"".join(registry.stream("app", found.layers[0]))
    small, large, blob = (each.response for each in seen[1:])
    assert '"layers"' in small.body and large.body == "" == blob.body
    assert seen[2].received > BODY_LIMIT


def ran(command: list[str], secret: str = "") -> str:
    """The standard output of a program that must succeed."""
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, input=secret, capture_output=True, text=True, timeout=60, env=env, check=True
    )
    return done.stdout


def test_copies_run_and_say_the_same(
    docker: Docker, private: RunningServer, need: Callable[[str], str]
) -> None:
    need("curl")
    docker.engine.credentials.store(private.address, Login(USER, PASSWORD))
    name = named(docker, private)
    lines = [*lab.wire(f"push {name}").lines, *lab.wire(f"pull {name}").lines]
    done = 0
    for kind in ("ping", "blob-head", "upload-start", "manifest-put", "manifest-get"):
        line = next(
            each
            for _n, each in lines
            if each.kind == kind
            and each.copies
            and each.exchange
            and "Authorization" in dict(each.exchange.request.headers)
        )
        curl, python = (text for _name, text in line.copies)
        assert PASSWORD not in curl + python and "USER" in curl and "USER" in python
        wanted = "200" if kind == "blob-head" else line.status  # it is there by now
        curl = curl.replace("--user USER", f"--user '{USER}:{PASSWORD}'")
        assert ran(["sh", "-c", curl]).startswith(f"HTTP/1.1 {wanted}")
        python = python.replace("getpass.getpass()", repr(PASSWORD)).replace('"USER"', f'"{USER}"')
        assert ran([sys.executable, "-c", python]).startswith(wanted)
        done += 1
    assert done == 5
    assert not any(
        line.copies for _n, line in lines if line.kind in ("upload-chunk", "upload-finish")
    )


def test_a_long_push_is_counted(docker: Docker) -> None:
    exchanges = []
    for number in range(200):
        digest = f"sha256:{number:064x}"
        for method, path in (
            ("HEAD", f"blobs/{digest}"),
            ("POST", "blobs/uploads/"),
            ("PUT", f"blobs/uploads/u{number}?digest={digest}"),
        ):
            where, _, query = f"/v2/big/{path}".partition("?")
            exchanges.append(
                Exchange(method, where, 201, 0, 0, 1.0, "localhost:5000", query, "http")
            )
    view = WireView(lab.engine, "push localhost:5000/big", lines_of(exchanges), "", 0)
    assert len(view.lines) == LIMIT and view.more == "… and 400 more requests"
    arrows = [step for step in view.steps if step.line]
    assert 0.7 * ARROWS < len(arrows) < ARROWS + 5
    assert re.fullmatch(r"… and 18\d more, in the same way", view.steps[-1].note)
    began = time.perf_counter()
    seen = Balanced(view.html(live=True))
    assert "600 requests" in seen.text and time.perf_counter() - began < 30


def test_several_hosts_have_a_lifeline_each() -> None:
    exchanges = [
        Exchange("GET", "/v2/", 401, 0, 0, 1.0, "registry.example", "", "https"),
        Exchange("GET", "/token", 200, 0, 0, 1.0, "auth.example", "scope=x", "http"),
        Exchange("GET", "/v2/", 200, 0, 0, 1.0, "registry.example", "", "https"),
    ]
    view = WireView(lab.engine, "pull registry.example/x", lines_of(exchanges), "", 0)
    assert [host.name for host in view.hosts] == ["registry.example", "auth.example"]
    assert [step.host for step in view.steps] == [1, 2, 1]
    text = Balanced(view.html()).text
    assert "✔ HTTPS" in text and "⚠ HTTP" in text and "nobody on the way" in text


def test_whatever_a_stranger_sends_stays_text() -> None:
    headers = (("X-<b>", "\x1b[31m<script>"),)
    answer = Message((*headers, ("Content-Type", "application/json")), "[" * 5000 + "<b>")
    exchange = Exchange(
        "GET", "/v2/<b>/manifests/x", 200, 0, 9, 1.0, "<i>", "", "http", Message(), answer
    )
    view = WireView(lab.engine, "<u>", lines_of([exchange]), "<s>\x1b", 1)
    view.handle("open", "0")
    for html in (view.html(), view.html(live=True)):
        seen = Balanced(html.replace("<input", "<br").replace("\x1b", ""))
        assert "<script>" in seen.text and "<script>" not in html
    for odd in ("x", "-1", "99", None, [], "০"):
        view.handle("ask", odd)
        view.handle("open", odd)
        assert view.html(live=True) and not view.busy


def test_an_event_of_a_log_can_be_asked_again_only_if_that_does_no_harm() -> None:
    for method, can in (("GET", True), ("HEAD", True), ("PUT", False), ("DELETE", False)):
        line = Line(Event("server", method, "/v2/", 200, None, 0), address="localhost:5000")
        assert line.can_ask is can and not line.copies and not line.parts


def test_the_log_of_a_real_engines_registry(
    need: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a Docker Engine the requests are those that the registry's log gains."""
    cli, tar = need("docker"), registry_tar(need("docker-registry"), tmp_path)
    subprocess.run([cli, "import", *REGISTRY, tar, "wired:2"], check=True, capture_output=True)
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "lab"))
    lab.begin("05-tag-push-pull")
    try:
        view = lab.wire(
            "run -d -p 127.0.0.1:5077:5000 -e REGISTRY_HTTP_ADDR=:5000 --name wired wired:2"
        )
        assert view.status == 0, view.said
        until(lambda: lab.wire("pull localhost:5077/nothing").lines)
        assert lab.wire("tag my-image localhost:5077/my-image").status == 0
        view = lab.wire("push localhost:5077/my-image")
        assert view.status == 0, view.said
        kinds = [line.kind for _number, line in view.lines]
        assert kinds[0] == "ping" and "manifest-put" in kinds and kinds.count("upload-finish") == 4
        assert view.is_log and "log" in view.html()
        head = next(number for number, line in view.lines if line.kind == "blob-head")
        view.handle("ask", str(head))
        deadline = time.monotonic() + 30
        while view.busy and time.monotonic() < deadline:
            time.sleep(0.05)
        assert view.lines[head][1].again and view.lines[head][1].copies, view.trouble
        again = lab.wire("pull localhost:5077/my-image")
        assert {line.method for _number, line in again.lines} <= {"GET", "HEAD"} and again.lines
    finally:
        lab.reset()
        subprocess.run([cli, "rmi", "-f", "wired:2"], check=True, capture_output=True)
        lab.engine.client.close()
