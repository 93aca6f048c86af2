"""Learners come into a class and out of it: real TLS, a real registry, the embedded engine."""

import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest

from dockerlab import lab
from dockerlab.classroom import mistakes, slips, ticket, welcome
from dockerlab.classroom.room import seal
from dockerlab.course import membership, progress, sharing
from dockerlab.course.site import Site
from dockerlab.engine import trust
from dockerlab.engine.credentials import FOLDER, Credentials
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.serving import serve
from dockerlab.registry.certificates import authority, issue
from tests.classrooms import Class, open_class

RAHIMA, KARIM = "rahima-khatun", "karim"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    home = tmp_path_factory.mktemp("instructor")
    with open_class(home, "ডকার, ঢাকা", "Rahima Khatun", "Karim") as one:
        yield one


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    with open_class(tmp_path_factory.mktemp("other"), "Another class", "Karim") as one:
        yield one


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's lab, which nobody has used yet; her own home folder is beside it."""
    (tmp_path / "own").mkdir()
    for name, value in {"DOCKERLAB_ENGINE": "embedded", "HOME": str(tmp_path / "own")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "lab"))
    return tmp_path / "lab"


def join(line: str, password: str, share: bool | None = None) -> list[str]:
    """Join as in a terminal; who is asked whether she shares says no."""
    return welcome.join(
        line, Embedded(), "docker", share=share, password=lambda _: password, agree=lambda _: False
    )


def docker(*words: str) -> str:
    out = StringIO()
    serve(words, out, out)
    return out.getvalue()


def files(home: Path) -> dict[str, bytes]:
    """All that a lab has."""
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def reported(room: Class, login: str) -> dict[str, object]:
    """What the class has heard of a learner; {} if nothing."""
    path = room.room.folder / "reports" / f"{login}.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def soon(wanted: Callable[[], object]) -> None:
    """Return when that is so."""
    until = time.monotonic() + 15
    while not wanted():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_line_and_a_password(room: Class, home: Path) -> None:
    typed = f" {room.passwords[RAHIMA].upper().replace('-', ' ')}\n"  # as people do
    line = room.line(RAHIMA).upper().replace("O", "0")
    command = [sys.executable, "-m", "dockerlab", "join", line, "--password-stdin"]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    tag, push = re.findall(r"dockerlab docker (.+)", done.stdout)
    assert "Docker" not in done.stdout and room.room.name in done.stdout
    Embedded().images.add_sample("my-image", "my-image")
    docker(*tag.split())
    assert "digest: sha256:" in docker(*push.split())
    assert not list((home.parent / "own").iterdir())
    if os.name == "posix":
        secret = [home / "classroom.json", home / FOLDER / "config.json"]
        assert [path.stat().st_mode & 0o777 for path in secret] == [0o600, 0o600]
    kept = json.loads((home / "classroom.json").read_text("utf-8"))
    assert kept == {
        "address": room.address,
        "login": RAHIMA,
        "seal": room.room.seal,
        "class": room.room.name,
        "share": False,
    }
    assert room.passwords[RAHIMA].encode() not in b"".join(files(home).values())


def test_twice_is_as_once_and_outlives_lessons(room: Class, home: Path) -> None:
    first = join(room.line(RAHIMA), room.passwords[RAHIMA])
    before = files(home)
    assert join(f"dockerlab join {room.line(RAHIMA)} ", room.passwords[RAHIMA]) == first
    assert files(home) == before
    lab.begin("05-tag-push-pull")
    Embedded().reset()
    assert Credentials(home / FOLDER).find(room.address)
    there = trust.known(Embedded().path, room.address, home).authorities
    assert [path.read_text() for path in there] == [
        (room.room.folder / "authority" / "ca.crt").read_text()
    ]


@pytest.mark.parametrize(
    ("wrong", "password", "error", "said"),
    [
        (lambda line: "rahima", "", mistakes.BadLine, "login"),
        (lambda line: line.partition("@")[2], "", mistakes.BadLine, "login"),
        (lambda line: line.rpartition("/")[0], "", mistakes.BadLine, "seal"),
        (lambda line: line[:-1], "", mistakes.BadLine, "seal"),
        (lambda line: line.replace("127.", "127,"), "", mistakes.BadLine, "address"),
        (lambda line: line.replace("karim", "karin"), "", mistakes.UnknownLogin, "karin"),
        (lambda line: line, "abcd-efgh-jkmn", mistakes.WrongPassword, "newer slip"),
        (lambda line: line, "secret", mistakes.WrongPassword, "three groups"),
        (lambda line: re.sub(r":\d+", ":1", line), "", mistakes.Silent, "awake"),
        (lambda line: line.replace("127.0.0.1", "127.0.0.2"), "", mistakes.Silent, "127.0.0.2"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    room: Class,
    home: Path,
    wrong: Callable[[str], str],
    password: str,
    error: type[mistakes.DockerlabError],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        join(wrong(room.line(KARIM)), password)
    assert files(home) == {}


def test_a_seal_tells_one_class_from_another(room: Class, other: Class, home: Path) -> None:
    seal = room.room.seal
    with pytest.raises(mistakes.OtherClass, match="one place"):
        join(room.line(KARIM)[:-1] + ("a" if seal[-1] != "a" else "b"), "")
    with pytest.raises(mistakes.OtherClass, match="Another class"):
        join(other.line(KARIM).replace(other.room.seal, seal), "")
    with pytest.raises(mistakes.NoClass):  # the page of the instructor speaks no TLS
        join(f"{KARIM}@{room.page.removeprefix('http://')}/{seal}", "")
    assert files(home) == {}
    join(room.line(KARIM), room.passwords[KARIM])
    join(other.line(KARIM), other.passwords[KARIM])
    assert Credentials(home / FOLDER).registries == [other.address]
    assert not trust.known(home, room.address).authorities


@contextmanager
def impostor(folder: Path, shown: bytes, name: str, *, expired: bool = False) -> Iterator[str]:
    """Somebody who shows what others are to be believed by, and has a certificate of his own."""
    made = issue(folder, name, expired=expired)

    class Shown(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(shown.replace(b"OWN", made.ca.read_bytes()))

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shown) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("more", [b"", b"OWN"])
def test_a_copy_of_the_seal_is_not_enough(home: Path, tmp_path: Path, more: bytes) -> None:
    copied = ""
    while not copied.endswith("=\n-----END CERTIFICATE-----\n"):  # what follows = is passed over
        (tmp_path / "class" / "ca.key").unlink(missing_ok=True)
        copied = authority(tmp_path / "class").read_text()
    assert seal(copied + copied) == seal(copied)
    with (
        impostor(tmp_path / "impostor", copied.encode() + more, "127.0.0.1") as address,
        pytest.raises(mistakes.InBetween),
    ):
        join(f"{KARIM}@{address}/{seal(copied)}", "never-sent-here")
    assert files(home) == {}


def test_certificates_for_others_and_for_other_times(home: Path, tmp_path: Path) -> None:
    with impostor(tmp_path / "elsewhere", b"OWN", "192.0.2.1") as address:
        line = f"{KARIM}@{address}/{seal((tmp_path / 'elsewhere' / 'ca.crt').read_text())}"
        with pytest.raises(mistakes.OtherAddress):
            join(line, "")
    with impostor(tmp_path / "late", b"OWN", "127.0.0.1", expired=True) as address:
        line = f"{KARIM}@{address}/{seal((tmp_path / 'late' / 'ca.crt').read_text())}"
        with pytest.raises(mistakes.WrongClock):
            join(line, "")
    assert files(home) == {}


def test_nothing_is_told_without_consent_and_all_goes_with_leave(room: Class, home: Path) -> None:
    join(room.line(KARIM), room.passwords[KARIM])
    progress.checked("same-image", False)
    join(room.line(KARIM), room.passwords[KARIM], share=True)
    soon(lambda: reported(room, KARIM))
    assert reported(room, KARIM)["checks"] == {
        "same-image": {"tries": 1, "passed": False, "since": ""}
    }
    join(room.line(KARIM), room.passwords[KARIM], share=False)
    assert reported(room, KARIM) == {}
    progress.checked("same-image", False)
    join(room.line(KARIM), room.passwords[KARIM], share=True)
    assert str(lab.leave()).endswith("The class has forgotten what you shared.")
    assert reported(room, KARIM) == {} and membership.find() is None
    left = {Path(name).name for name in files(home)} - {"config.json", ".config.json.lock"}
    assert left == {"progress.json", ".progress.lock"}
    assert Credentials(home / FOLDER).registries == []
    with pytest.raises(mistakes.NotJoined):
        lab.leave()


def test_nothing_else_is_told(home: Path) -> None:
    progress.began("05-tag-push-pull")
    progress.checked("push", True)
    progress.answered("05-tag-push-pull", "why", ["secret answer"], False)
    assert sharing.summary(progress.load().data) == {
        "lesson": "05-tag-push-pull",
        "checks": {"push": {"tries": 1, "passed": True}},
    }


def test_a_class_that_was_asleep_has_missed_nothing(room: Class, home: Path) -> None:
    join(room.line(KARIM), room.passwords[KARIM], share=True)
    room.sleep()
    try:
        began = time.monotonic()
        for _ in range(4):
            assert progress.checked("same-image", False) == ""
        assert progress.began("02-image-names") == ""
        assert time.monotonic() - began < 2
        with pytest.raises(mistakes.Silent, match="nothing was changed"):
            join(room.line(RAHIMA), room.passwords[RAHIMA])
        assert membership.find()
    finally:
        room.wake()
    progress.checked("full-name", True)
    soon(lambda: "full-name" in str(reported(room, KARIM)))
    told = reported(room, KARIM)
    assert told["lesson"] == "02-image-names"
    checks = told["checks"]
    assert isinstance(checks, dict)
    assert checks["full-name"]["passed"] and checks["same-image"]["tries"] == 4
    assert checks["same-image"]["since"]
    lab.leave()


def test_a_class_that_says_nothing_holds_nobody_up(home: Path, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        issue(tmp_path / "ca", "127.0.0.1")
        there = membership.Membership(address, KARIM, "", "", True)
        home.mkdir()
        there.keep((tmp_path / "ca" / "ca.crt").read_text())
        (home / FOLDER).mkdir()
        from dockerlab.engine.credentials import Login

        Credentials(home / FOLDER).store(address, Login(KARIM, "x"))
        began = time.monotonic()
        progress.checked("same-image", True)
        assert time.monotonic() - began < 2  # its patience is longer


def test_nobody_can_speak_for_another_or_fill_the_disk(room: Class) -> None:
    ca = (room.room.folder / "authority" / "ca.crt").read_text()
    karim = Site(room.address, ca, KARIM, room.passwords[KARIM])
    good = {"lesson": "02-image-names", "checks": {"full-name": {"tries": 3, "passed": False}}}
    evil = {
        "lesson": "<script>alert(1)</script>",
        "login": RAHIMA,
        "checks": {"../../x": {"tries": 1, "passed": True}, **good["checks"]},  # type: ignore[dict-item]
        "more": "x" * 50_000,
    }
    assert (
        Site(room.address, ca, RAHIMA, room.passwords[KARIM]).ask("POST", "/progress", good)[0]
        == 401
    )
    assert Site(room.address, ca).ask("POST", "/progress", good)[0] == 401
    assert karim.ask("GET", "/progress")[0] == 405
    assert karim.ask("POST", "/progress", evil)[0] == 204
    told = reported(room, KARIM)
    assert told["lesson"] == "" and list(told["checks"]) == ["full-name"]  # type: ignore[call-overload]
    for bad in (
        [],
        {"checks": {"full-name": {"tries": -1, "passed": False}}},
        {"checks": {"full-name": {"tries": True, "passed": False}}},
        {"checks": {"full-name": {"tries": 1, "passed": "<b>"}}},
        {"checks": {"full-name": []}},
    ):
        assert karim.ask("POST", "/progress", bad)[0] == 400
    assert karim.ask("POST", "/progress", {"x": "x" * 70_000})[0] == 413
    assert reported(room, KARIM) == told and reported(room, RAHIMA) == {}
    path = room.room.folder / "reports" / f"{KARIM}.json"
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    assert karim.ask("DELETE", "/progress")[0] == 204 and not path.exists()


def test_slips_end_old_passwords_and_are_never_overwritten(room: Class, tmp_path: Path) -> None:
    path = tmp_path / "slips.html"
    made = slips.renew(room.room, [RAHIMA], room.address, path)
    text = made.read_text("utf-8")
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(mistakes.WrongPassword, match="newer slip"):
        join(room.line(RAHIMA), room.passwords[RAHIMA])
    found = re.search(r'class="password">([^<]+)', text)
    assert found and found[1] not in text.partition("<svg")[2].partition("</svg>")[0]
    room.passwords[RAHIMA] = found[1]
    line = re.search(r'class="line">(.+)</code>', text)
    assert line and ticket.parse(line[1].replace("<wbr>", "")) == slips.ticket(
        room.room, RAHIMA, room.address
    )
    with pytest.raises(slips.SlipsThere):
        slips.renew(room.room, [RAHIMA], room.address, path)
    assert path.read_text("utf-8") == text
    join(room.line(RAHIMA), found[1])
