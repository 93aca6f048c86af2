"""Passwords: who may enter a registry with an htpasswd file, what others are told, and the log."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bcrypt
import httpx
import pytest

from dockerlab.registry import htpasswd
from dockerlab.registry.brake import Brake
from tests import raw
from tests.servers import RunningServer, push_image, start_real_registry, start_server

Need = Callable[[str], str]
USERS = {
    "rahim": "s3cret-of-rahim",
    "karima": "s3cret:with:colons",
    "রহিমা": "গোপন-s3cret",
    "a b@c.example": "s3cret with blanks ",
    "o'neil\\": '"s3cret"',
    "long": "s3cret" * 12,  # as long as bcrypt looks at
}
OTHERS = {"md5": "-m", "sha": "-s", "crypt": "-d", "plain": "-p"}  # htpasswd's other hashes
GUESS = "s3cret-guess"
REALM = 'The "lab"'
ASKED = [
    ("GET", "/v2/"),
    ("GET", "/v2"),
    ("GET", "/v2/_catalog"),
    ("GET", "/v2/a/b/tags/list"),
    ("HEAD", "/v2/a/manifests/latest"),
    ("PUT", "/v2/a/manifests/latest"),
    ("DELETE", "/v2/a/manifests/latest"),
    ("GET", "/v2/a/blobs/sha256:" + "0" * 64),
    ("POST", "/v2/a/blobs/uploads/?mount=sha256:" + "0" * 64 + "&from=other"),
    ("PATCH", "/v2/a/blobs/uploads/f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
]
WRITING = [(method, path) for method, path in ASKED if method not in ("GET", "HEAD")]


def settings(path: Path, **more: str) -> dict[str, str]:
    """Variables for a registry with that password file."""
    of_login = {"REALM": REALM, "PATH": str(path), **more}
    named = {f"REGISTRY_AUTH_HTPASSWD_{name}": value for name, value in of_login.items()}
    return {"REGISTRY_AUTH": "htpasswd", **named}


@pytest.fixture(scope="module")
def enter(need: Need) -> Callable[..., None]:
    """Put a user into a file as learners do, with the real `htpasswd`; quickly, at bcrypt's least
    cost.
    """
    binary = need("htpasswd")

    def entered(path: Path, user: str, password: str, *kind: str) -> None:
        new = [] if path.exists() else ["-c"]
        command = [binary, "-b", *(kind or ("-B", "-C", "4")), *new, str(path), user, password]
        subprocess.run(command, check=True, capture_output=True)

    return entered


@pytest.fixture(scope="module")
def passwords(tmp_path_factory: pytest.TempPathFactory, enter: Callable[..., None]) -> Path:
    """A file with all users, those with other hashes too."""
    path = tmp_path_factory.mktemp("passwords") / "htpasswd"
    for user, password in USERS.items():
        enter(path, user, password)
    for user, kind in OTHERS.items():
        enter(path, user, GUESS, kind)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n# a comment: of somebody\nnobody\n:\nhalf:$2y$04$abc\n")
    return path


@pytest.fixture(scope="module")
def server(passwords: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A registry with that file."""
    with start_server(tmp_path_factory.mktemp("root"), env=settings(passwords)) as running:
        yield running
    for secret in ("s3cret", *(_basic(user, word) for user, word in USERS.items()), "$2y$"):
        assert secret not in running.log
    assert "Traceback" not in running.log
    assert "forged" in running.log and "\nlevel=info forged" not in running.log


@pytest.fixture
def own(tmp_path: Path, enter: Callable[..., None]) -> Iterator[tuple[RunningServer, Path]]:
    """A registry with a file of its own, that holds rahim, and the file."""
    path = tmp_path / "htpasswd"
    enter(path, "rahim", USERS["rahim"])
    with start_server(tmp_path / "root", env=settings(path)) as running:
        yield running, path


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def status(server: RunningServer, user: str, password: str) -> int:
    """What a login is answered."""
    headers = {"Authorization": f"Basic {_basic(user, password)}"}
    return httpx.get(f"{server.url}/v2/", headers=headers).status_code


@pytest.mark.parametrize("user", USERS)
def test_who_may_enter(server: RunningServer, user: str) -> None:
    password = USERS[user]
    assert status(server, user, password) == 200
    assert status(server, user, password) == 200  # now it is remembered
    assert status(server, user, password[:-1]) == 401
    assert status(server, user[:-1], password) == 401
    assert status(server, user, "") == 401


def test_a_password_counts_as_far_as_bcrypt_looks(server: RunningServer) -> None:
    """The real registry, and htpasswd itself, have it so."""
    assert status(server, "long", USERS["long"] + "and more") == 200


@pytest.mark.parametrize("user", OTHERS)
def test_other_hashes_let_nobody_in(server: RunningServer, user: str) -> None:
    assert status(server, user, GUESS) == 401
    (line,) = [line for line in server.lines if f'user \\"{user}\\" may not enter' in line]
    assert "level=error" in line and "bcrypt is needed (htpasswd -B)" in line


def test_lines_that_are_no_logins(server: RunningServer) -> None:
    before = len(USERS) + len(OTHERS)
    third, fourth = (line for line in server.lines if "not USER:HASH" in line)
    assert f"line {before + 3} of" in third and f"line {before + 4} of" in fourth
    assert 'user \\"half\\" may not enter' in server.log and "not whole" in server.log
    assert "comment" not in server.log
    for user in ("nobody", "", "half", "# a comment"):
        assert status(server, user, "") == 401


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_what_others_are_told(
    server: RunningServer, theirs: RunningServer, method: str, path: str
) -> None:
    """Byte for byte what the real registry tells them."""
    ours, real = (httpx.request(method, f"{each.url}{path}") for each in (server, theirs))
    assert ours.status_code == 401
    if method != "HEAD":
        (error,) = ours.json()["errors"]
        assert (error["code"], error["message"]) == ("UNAUTHORIZED", "authentication required")
    if path == "/v2":  # the real one sends such a client on
        real = httpx.get(f"{theirs.url}/v2/")
    assert ours.content == real.content
    for name in ("WWW-Authenticate", "Content-Type"):
        assert ours.headers[name] == real.headers[name]
    assert ours.headers["WWW-Authenticate"] == 'Basic realm="The \\"lab\\""'


@pytest.fixture(scope="module")
def theirs(
    passwords: Path, tmp_path_factory: pytest.TempPathFactory, need: Need
) -> Iterator[RunningServer]:
    """The real registry with the same file."""
    root = tmp_path_factory.mktemp("theirs")
    with start_real_registry(need("docker-registry"), root, env=settings(passwords)) as running:
        yield running


def test_nothing_outside_v2_is_closed(server: RunningServer) -> None:
    assert httpx.get(f"{server.url}/").status_code == 200
    assert httpx.get(f"{server.url}/token").status_code == 404
    for path in ("/v2/../v2/_catalog", "/v2//_catalog", "//v2/_catalog", "/V2/_catalog"):
        answer = raw.ask(server.port, raw.request("GET", path))
        assert answer.status in (301, 400, 401, 404) and b"repositories" not in answer.body


RIGHT = _basic("rahim", USERS["rahim"])


@pytest.mark.parametrize(
    "lines",
    [
        ["Authorization:"],
        ["Authorization: Basic"],
        ["Authorization: Basic "],
        ["Authorization: Basic %%%"],
        ["Authorization: Basic " + RIGHT.rstrip("=")[:-1]],
        ["Authorization: Basic " + base64.b64encode(b"rahim").decode()],
        ["Authorization: Basic " + base64.b64encode(b"rahim:\0").decode()],
        ["Authorization: Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()],
        ["Authorization: Basic \xe9\xff"],
        ["Authorization: Basic " + _basic("rahim", "x" * 50_000)],
        ["Authorization: Basic " + _basic("x" * 50_000, "s3cret")],
        ["Authorization: Basic " + _basic("rahim\r\nlevel=info forged", "s3cret")],
        ["Authorization: Bearer " + RIGHT],
        ["Authorization: Digest " + RIGHT],
        ["Authorization: " + RIGHT],
        ["Authorization: Basic " + RIGHT, "Authorization: Basic " + RIGHT],
        ["Authorization: Basic %%%", "Authorization: Basic " + RIGHT],
    ],
    ids=lambda lines: lines[0][:30],
)
def test_bad_credentials(server: RunningServer, lines: list[str]) -> None:
    answer = raw.ask(server.port, raw.request("GET", "/v2/_catalog", lines))
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("line", ["authorization: basic  ", "AUTHORIZATION: BASIC "])
def test_good_credentials_in_other_forms(server: RunningServer, line: str) -> None:
    assert raw.ask(server.port, raw.request("GET", "/v2/", [line + RIGHT])).status == 200


# The file changes


def test_the_file_is_read_again(
    own: tuple[RunningServer, Path], enter: Callable[..., None]
) -> None:
    server, path = own
    assert status(server, "rahim", USERS["rahim"]) == 200
    enter(path, "karima", USERS["karima"])
    assert status(server, "karima", USERS["karima"]) == 200
    enter(path, "rahim", "s3cret-that-is-new")
    assert status(server, "rahim", USERS["rahim"]) == 401
    assert status(server, "rahim", "s3cret-that-is-new") == 200
    kept = [line for line in path.read_text().splitlines() if line.startswith("karima")]
    path.write_text("\n".join(kept))
    assert status(server, "rahim", "s3cret-that-is-new") == 401
    assert status(server, "karima", USERS["karima"]) == 200


def test_the_file_is_gone_for_a_while(own: tuple[RunningServer, Path]) -> None:
    server, path = own
    content = path.read_bytes()
    assert status(server, "rahim", USERS["rahim"]) == 200
    path.unlink()
    for _ in range(2):
        assert status(server, "rahim", USERS["rahim"]) == 401
    told = f'level=error msg="htpasswd: open {path}: no such file or directory; nobody may enter"'
    path.mkdir()
    assert status(server, "rahim", USERS["rahim"]) == 401
    path.rmdir()
    path.write_bytes(content)
    assert status(server, "rahim", USERS["rahim"]) == 200
    server.stop()
    assert server.log.count(told) == server.log.count("nobody may enter") == 1


def test_an_old_file_is_read_again_too(own: tuple[RunningServer, Path]) -> None:
    """One that is swapped for another of the same age and size, as `mv` and `cp -p` do it."""
    server, path = own
    os.utime(path, (1, 1))
    assert status(server, "rahim", USERS["rahim"]) == 200
    other = path.with_name("other")
    other.write_text(path.read_text().replace("rahim", "salma"))
    os.utime(other, (1, 1))
    other.replace(path)
    assert status(server, "rahim", USERS["rahim"]) == 401
    assert status(server, "salma", USERS["rahim"]) == 200


def test_a_file_of_our_own_making(tmp_path: Path, server: RunningServer) -> None:
    path = tmp_path / "auth" / "htpasswd"
    for user, password in (*USERS.items(), ("rahim", "again")):
        htpasswd.add(path, user, password)
    assert [line.partition(":")[0] for line in path.read_text("utf-8").splitlines()] == [
        *(user for user in USERS if user != "rahim"),
        "rahim",
    ]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    for user, password in (
        ("", "a"),
        ("a:b", "a"),
        (" a", "a"),
        ("#a", "a"),
        ("a\nb", "a"),
        ("a", ""),
        ("a", "x" * 73),
        ("a", "x\0"),
    ):
        with pytest.raises(ValueError):
            htpasswd.add(path, user, password)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["htpasswd"]
    with start_server(tmp_path / "root", env=settings(path)) as own:
        assert status(own, "rahim", "again") == 200
        assert status(own, "rahim", USERS["rahim"]) == 401


# Guessing


def test_guesses_are_logged_and_slowed(own: tuple[RunningServer, Path]) -> None:
    server, _ = own
    for _ in range(5):
        assert status(server, "rahim", GUESS) == 401
    began = time.monotonic()
    assert status(server, "rahim", GUESS) == 401
    assert time.monotonic() - began > 0.4  # it may take longer, and never less
    assert status(server, "rahim", USERS["rahim"]) == 200  # slowed, but not locked out
    assert status(server, "rahim", GUESS) == 401
    server.stop()
    said = 'level=warning msg="error authenticating user \\"rahim\\" from 127.0.0.1: '
    said += "authentication failure"
    ends = [line.strip().partition(said)[2] for line in server.lines if said in line]
    assert ends == ['"', *(f' ({times} times)"' for times in range(2, 7)), '"']
    assert "s3cret" not in server.log and _basic("rahim", GUESS) not in server.log


def test_nobody_learns_who_is_there(tmp_path: Path, enter: Callable[..., None]) -> None:
    """A wrong password makes as much work for anybody: each step of bcrypt's cost doubles it."""
    path, work = tmp_path / "htpasswd", [0]

    def verify(password: bytes, crypted: bytes) -> bool:
        work[-1] += 2 ** int(crypted[4:6])
        return bcrypt.checkpw(password, crypted)

    enter(path, "quick", USERS["rahim"], "-B", "-C", "4")
    enter(path, "slow", USERS["rahim"], "-B", "-C", "6")
    users = htpasswd.Htpasswd(path, verify)
    for user in ("quick", "slow", "nobody", ""):
        assert not asyncio.run(users.check(user, GUESS))
        work.append(0)
    assert work == [64, 64, 64, 64, 0]
    assert asyncio.run(users.check("quick", USERS["rahim"])) and work[-1] == 64
    assert asyncio.run(users.check("quick", USERS["rahim"])) and work[-1] == 64  # remembered
    assert users.knows("quick", USERS["rahim"]) and not users.knows("slow", USERS["rahim"])


def test_the_brake() -> None:
    now = 0.0
    brake = Brake(lambda: now)
    rahim, elsewhere = ("10.0.0.1", "rahim"), ("10.0.0.2", "rahim")
    delays = []
    for _ in range(12):
        delays.append(brake.delay(rahim))
        brake.failed(rahim)
    assert delays == [0, 0, 0, 0, 0, 0.5, 1, 2, 4, 8, 8, 8]
    assert brake.delay(elsewhere) == 0
    now = 900
    assert brake.delay(rahim) == 8
    now = 901
    assert brake.delay(rahim) == 0 and brake.failed(rahim) == 1
    brake.succeeded(rahim)
    assert brake.failed(rahim) == 1


def test_the_brake_remembers_the_latest_only() -> None:
    brake = Brake(lambda: 0)
    for number in range(10_001):
        brake.failed(("10.0.0.1", str(number)))
    assert brake.failed(("10.0.0.1", "10000")) == 2
    assert brake.failed(("10.0.0.1", "0")) == 1


# Everybody may read


@pytest.fixture(scope="module")
def open_server(
    passwords: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A registry that everybody may read from, with an image in it."""
    env = settings(passwords, ANONYMOUS="pull")
    with start_server(tmp_path_factory.mktemp("open"), env=env) as running:
        with httpx.Client(base_url=running.url, auth=("rahim", USERS["rahim"])) as http:
            push_image(http, "app", "1", b"layer")
        yield running
    assert "s3cret" not in running.log and "Traceback" not in running.log


@pytest.mark.parametrize("path", ["manifests/1", "tags/list", "referrers/sha256:" + "0" * 64])
def test_everybody_may_read(open_server: RunningServer, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, f"{open_server.url}/v2/app/{path}")
        assert answer.status_code == 200
    assert httpx.get(f"{open_server.url}/v2/_catalog").json() == {"repositories": ["app"]}


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_not_everybody_may_write(open_server: RunningServer, method: str, path: str) -> None:
    answer = httpx.request(method, open_server.url + path)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"
    asked = answer.headers["WWW-Authenticate"]
    action = "delete" if method == "DELETE" else "pull,push"
    assert asked.startswith(f'Bearer realm="{open_server.url}/token",service="The \\"lab\\""')
    assert f'scope="repository:a:{action}' in asked


def test_who_gives_a_password_gives_the_right_one(open_server: RunningServer) -> None:
    for path in ("/v2/", "/v2/app/tags/list", "/token"):
        url = open_server.url + path
        assert httpx.get(url, auth=("rahim", GUESS)).status_code == 401
        assert httpx.get(url, auth=("rahim", USERS["rahim"])).status_code == 200
        assert httpx.get(url, headers={"Authorization": "Bearer x.y"}).status_code == 401


def token(server: RunningServer, *login: str) -> str:
    """What the registry's own token server gives."""
    answer = httpx.get(f"{server.url}/token", auth=(login[0], login[1]) if login else None)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    given = answer.json()
    assert given["token"] == given["access_token"] and given["expires_in"] == 300
    return str(given["token"])


def with_token(server: RunningServer, method: str, path: str, given: str) -> int:
    """The status of a request with a token."""
    headers = {"Authorization": f"Bearer {given}"}
    return httpx.request(method, server.url + path, headers=headers).status_code


def test_tokens(open_server: RunningServer) -> None:
    everybodys, rahims = token(open_server), token(open_server, "rahim", USERS["rahim"])
    upload = "/v2/app/blobs/uploads/"
    for given in (everybodys, rahims):
        assert with_token(open_server, "GET", "/v2/", given) == 200
        assert with_token(open_server, "GET", "/v2/app/manifests/1", given) == 200
    assert with_token(open_server, "POST", upload, everybodys) == 401
    assert with_token(open_server, "POST", upload, rahims) == 202


def test_forged_tokens(open_server: RunningServer) -> None:
    facts, _, signature = token(open_server).partition(".")
    wanted = json.dumps(["rahim", int(time.time()) + 999]).encode()
    forged = base64.urlsafe_b64encode(wanted).decode()
    for given in (f"{forged}.{signature}", f"{forged}.", forged, f"{facts}.", f"{facts}.AAAA", "."):
        assert with_token(open_server, "GET", "/v2/app/tags/list", given) == 401
    for odd in ("[]", "null", '[["rahim"], 9e99]', '["", "x"]', "[" * 5000):
        text = base64.urlsafe_b64encode(odd.encode()).decode()
        assert with_token(open_server, "GET", "/v2/", f"{text}.{signature}") == 401


def test_a_token_ends_when_the_password_changes(tmp_path: Path, enter: Callable[..., None]) -> None:
    path = tmp_path / "htpasswd"
    enter(path, "rahim", USERS["rahim"])
    with start_server(tmp_path / "root", env=settings(path, ANONYMOUS="pull")) as server:
        given = token(server, "rahim", USERS["rahim"])
        assert with_token(server, "POST", "/v2/a/blobs/uploads/", given) == 202
        enter(path, "rahim", USERS["karima"])
        assert with_token(server, "POST", "/v2/a/blobs/uploads/", given) == 401
