"""The form for `docker login`, without a browser: every way it can go, and no secret left."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dockerlab import i18n, lab
from dockerlab.errors import BadRegistry, EngineError
from dockerlab.widgets.login import LoginView
from tests.containing import until
from tests.dockers import Docker
from tests.servers import RunningServer, start_server
from tests.test_widgets import Balanced

USER = "mina"
PASSWORDS = {
    "plain": "s3cret-word",
    "colon": "a:b:c-long-enough",
    "bangla": "গোপন কথা",
    "long": "x" * 72,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lab of its own, on the embedded engine."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "learner"))
    yield tmp_path / "home"


@contextmanager
def private(folder: Path, **more: str) -> Iterator[RunningServer]:
    """A registry that lets some in."""
    path = folder / "htpasswd"
    for name, password in PASSWORDS.items():
        lab.htpasswd(str(path), name, password)
    env = {"REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "lab"}
    env |= {"REGISTRY_AUTH_HTPASSWD_PATH": str(path), **more}
    with start_server(folder / "root", env=env) as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with private(tmp_path) as running:
        yield running


class Heard:
    """What a page would be sent: whispers, and the state that may be saved."""

    def __init__(self, view: LoginView) -> None:
        self.whispers: list[dict[str, str]] = []
        self.view = view
        self.live = view.live()
        self.live.send = self._send

    def _send(self, content: Any, *_: object) -> None:
        self.whispers.append(content["whisper"])

    @property
    def state(self) -> str:
        """All that is kept."""
        facts = {name: value for name, value in vars(self.view).items() if name != "_live"}
        saved = [self.live.get_state(), facts, repr(self.view), self.view.html()]
        return "".join(map(repr, saved))


def log_in(view: LoginView, user: str, password: str) -> LoginView:
    """Send the form, and wait for the answer."""
    form = {"user": user, "password": password}
    view.handle("log_in", form)
    assert "password" not in form
    deadline = time.monotonic() + 60
    while view.busy and time.monotonic() < deadline:
        time.sleep(0.02)
    view.show()
    return view


@pytest.mark.parametrize("user", PASSWORDS)
def test_every_password_gets_in_and_is_kept_by_docker_alone(
    user: str, server: RunningServer, home: Path
) -> None:
    password, view = PASSWORDS[user], lab.login(server.address)
    heard = Heard(view)
    assert repr(view) == f"Login at {server.address}\nNot logged in."
    log_in(view, user, password)
    assert view.said.endswith("Login Succeeded") and view.name == user and not view.trouble
    assert [trip.status for trip in view.trips] == [401, 200]
    assert view.trips[0].wants == 'Basic realm="lab"'
    assert [trip.signed for trip in view.trips] == ["", "Basic ••••"]
    packed = b64encode(f"{user}:{password}".encode()).decode()
    config = home / "docker-config" / "config.json"
    assert json.loads(config.read_text())["auths"][server.address] == {"auth": packed}
    if os.name == "posix":
        assert view.mode == "0600" and "0600" in view.html(live=True)
    assert password not in heard.state and packed not in heard.state

    view.handle("decode", "header")
    view.handle("decode", "entry")
    told = {name: text for each in heard.whispers for name, text in each.items()}
    assert told["header"] == f"Authorization: Basic {packed}"
    assert told["header-plain"] == told["entry-plain"] == f"{user}:{password}"
    assert b64decode(told["entry"].split('"')[3]).decode() == f"{user}:{password}"
    view.show()
    assert password not in heard.state and packed not in heard.state
    view.handle("decode", "header")
    view.handle("decode", "entry")
    assert heard.whispers[-4:] == [
        {"header": ""},
        {"header-plain": ""},
        {"entry": ""},
        {"entry-plain": ""},
    ]
    view.handle("decode", "nonsense")
    assert repr(lab.login(server.address)).endswith(f"Logged in as {user}.")


def test_logging_out_removes_just_that(server: RunningServer, home: Path) -> None:
    docker = Docker(home)
    docker.engine.images.add_sample("my-image", "my-image")
    from dockerlab.engine.credentials import Login

    docker.engine.credentials.store("elsewhere:5000", Login("x", "y"))
    view = log_in(lab.login(server.address), "plain", PASSWORDS["plain"])
    view.handle("decode", "entry")
    view.handle("log_out", None)
    assert "Removing login credentials" in view.said and not view.name and not view.told
    text = Balanced(view.html(live=True).replace("<input", "<br")).text
    assert server.address in view.removed and "All images stay" in text
    assert "Not logged in" in text
    assert docker.engine.credentials.find("elsewhere:5000") and docker.good("images", "-q")
    view.handle("log_out", None)
    assert not view.removed


def test_a_wrong_password_is_explained_and_changes_nothing(server: RunningServer) -> None:
    view = log_in(lab.login(server.address), "plain", PASSWORDS["plain"])
    for user, password in (("plain", "wrong"), ("nobody", "x"), ("plain", "x" * 100_000)):
        log_in(view, user, password)
        assert view.said.endswith("failed with status: 401 Unauthorized")
        assert view.meaning and "password is wrong" in view.meaning.means
        assert not view.signed and view.name == "plain"
        assert "this password is not right" in view.trips[-1].means
        assert password[:50] not in view.said or password == "x"


def test_what_is_typed_wrong_is_said_and_not_sent(server: RunningServer) -> None:
    view = lab.login(server.address)
    for user, password, said in (
        ("", "x", "Type a user name"),
        ("mina", "", "Type a user name"),
        ("a:b", "x", "no colon"),
        ("a\0b", "x", "no colon"),
    ):
        log_in(view, user, password)
        assert said in view.trouble and not view.exchanges
    assert "GET" not in server.log
    log_in(view, "--help", "x")  # no option of docker's
    assert "401" in view.said


def test_a_token_is_shown_on_its_way(tmp_path: Path) -> None:
    with private(tmp_path, REGISTRY_AUTH_HTPASSWD_ANONYMOUS="pull") as server:
        view = log_in(lab.login(server.address), "plain", PASSWORDS["plain"])
        assert view.token and view.signed
        signed = [trip.signed for trip in view.trips if trip.signed]
        assert signed == ["Basic ••••", "Bearer ••••"]
        assert "/token?" in next(trip.asked for trip in view.trips if trip.signed)
        assert "takes a token" in view.html(live=True)
        log_in(view, "plain", "wrong")
        assert "unauthorized" in view.said and view.meaning
        assert "/token?" in view.trips[-1].asked and view.trips[-1].status == 401
        assert "this password is not right" in view.trips[-1].means


def test_who_wants_no_login_says_so(tmp_path: Path) -> None:
    with start_server(tmp_path / "open") as server:
        view = log_in(lab.login(server.address), USER, PASSWORDS["plain"])
    assert view.is_open and not view.signed and view.said.endswith("Login Succeeded")
    assert "wants no login" in view.html(live=True)


def test_nobody_there_and_no_registry() -> None:
    with socket.socket() as taken:  # bound and not listening
        taken.bind(("127.0.0.1", 0))
        view = log_in(lab.login(f"127.0.0.1:{taken.getsockname()[1]}"), USER, "x")
    assert "connection refused" in view.said and view.meaning and not view.name
    asked, told = threading.Event(), threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            told.wait(60)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        view = lab.login(f"127.0.0.1:{slow.server_address[1]}")
        view.handle("log_in", {"user": USER, "password": "x"})
        assert asked.wait(60)
        assert view.busy and "Asking the registry" in view.html(live=True)
        view.handle("log_in", {"user": USER, "password": "y"})  # not twice at once
        view.handle("log_out", None)
        view.handle("look", None)
        told.set()
        until(lambda: not view.busy, 60)
        slow.shutdown()
    assert not view.busy and not view.name and "404" in view.said


@pytest.mark.parametrize(
    "address", ["http://localhost:5000", "localhost:5000/x", "a b", "<b>", "আমার"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(BadRegistry):
        lab.login(address)


@pytest.mark.parametrize("address", ["", "docker.io", "https://index.docker.io/v1/"])
def test_the_mini_hub_takes_no_password(address: str) -> None:
    view = lab.login(address)
    assert "never give it your Docker Hub password" in repr(view)
    assert "<input" not in view.html(live=True)
    log_in(view, USER, "x")
    assert not view.said and not view.name


def test_the_still_form_explains_and_is_the_same(server: RunningServer) -> None:
    view = lab.login(server.address, user=USER)
    for code in i18n.LANGUAGES:
        i18n.choose(code)
        still = view.html()
        assert Balanced(still).text and "<input" not in still and "<button" not in still
        assert still == lab.login(server.address).html() and USER not in still
        assert "Authorization: Basic base64(user:password)" in still
    i18n.choose("en")
    log_in(view, "plain", PASSWORDS["plain"])
    assert str(view.path) not in view.html() and "Logged in as plain." in view.html()


def test_with_a_password_it_logs_in_at_once(server: RunningServer) -> None:
    view = lab.login(server.address, "plain", PASSWORDS["plain"])
    assert repr(view).endswith("Logged in as plain.") and view.signed
    assert PASSWORDS["plain"] not in Heard(view).state
    with pytest.raises(EngineError, match="failed with status: 401 Unauthorized"):
        lab.login(server.address, "plain", "wrong")
    assert lab.login(server.address).name == "plain"
    with pytest.raises(EngineError, match="never give it your Docker Hub password"):
        lab.login("docker.io", "plain", "x")


def test_another_host_logs_in_for_itself(server: RunningServer) -> None:
    """To host2, localhost is itself; it finds the registry at the first host's address."""
    first = lab.second_host().first
    with pytest.raises(EngineError, match="connection refused"):
        lab.login(f"localhost:{server.port}", "plain", PASSWORDS["plain"], context="host2")
    there = f"{first}:{server.port}"
    with pytest.raises(EngineError, match="HTTP response to HTTPS client"):
        lab.login(there, "plain", PASSWORDS["plain"], context="host2")
    lab.second_host().configure({"insecure-registries": [there]})
    assert lab.login(there, "plain", PASSWORDS["plain"], context="host2").name == "plain"
    with pytest.raises(EngineError, match="context not found"):
        lab.login(there, "plain", "x", context="host9")


def test_a_login_that_is_kept_can_be_seen_again(server: RunningServer, home: Path) -> None:
    log_in(lab.login(server.address), "plain", PASSWORDS["plain"])
    view = lab.login(server.address)
    view.handle("look", None)
    deadline = time.monotonic() + 60
    while view.busy and time.monotonic() < deadline:
        time.sleep(0.02)
    assert view.again and view.signed and "asked by the lab" in view.html(live=True)
    config = home / "docker-config" / "config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"credsStore": "pass"}))
    assert "docker-credential-pass" in view.html(live=True)
    config.write_text("{")
    assert view.name == "" and view.html(live=True)


def test_on_a_real_engine(
    need: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docker's own CLI gets the password on its standard input; the lab asks again to show it."""
    need("docker")
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    with private(tmp_path) as server:
        registry = f"localhost:{server.port}"
        view = lab.login(registry)
        heard = Heard(view)
        log_in(view, "plain", "wrong")
        assert "401" in view.said and view.meaning and not view.name
        log_in(view, "bangla", PASSWORDS["bangla"])
        assert "Login Succeeded" in view.said and view.name == "bangla", view.said
        assert view.again and view.signed and [trip.status for trip in view.trips] == [401, 200]
        assert PASSWORDS["bangla"] not in heard.state
        if os.name == "posix":
            assert view.mode == "0600"
        assert not (tmp_path / "learner").exists()
        view.handle("log_out", None)
        assert not view.name and registry in view.removed
        log_in(view, "nobody", "x")
        assert "401" in view.said
    lab.engine.client.close()
