"""Each finding of the doctor, in circumstances that are really so."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from dockerlab import i18n
from dockerlab.cli import cli
from dockerlab.doctor import Finding, engines, folders, machine, network, ports, report, software
from dockerlab.doctor.network import Looks
from dockerlab.engine.embedded import Embedded
from dockerlab.registry.certificates import issue
from tests.containing import free_port
from tests.dockers import Docker
from tests.servers import start_server

NAMES = [
    *("python", "dockerlab", "packages", "engine", "port-5000", "port-5001", "port-5002"),
    *("port-5003", "port-8888", "disk", "memory", "font", "browser", "state-folder"),
    *("lesson-folder", "proxy", "registry-image", "internet", "clock"),
]


@pytest.fixture(autouse=True)
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    yield
    Embedded(tmp_path / "home").reset()


def test_the_command_tells_all_and_leaves_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    told = json.loads(done.output)
    assert (told["version"], [one["name"] for one in told["findings"]]) == (1, NAMES)
    faults = [one for one in told["findings"] if one["state"] == "fault"]
    assert all(one["fix"] for one in told["findings"] if one["state"] != "ok")
    assert all(set(one) == {"name", "state", "value", "fix"} for one in told["findings"])
    assert (done.exit_code, told["ok"]) == (1 if faults else 0, not faults)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_is_a_word_too_and_its_fix_is_below_it() -> None:
    fault = Finding("disk", "Disk", "fault", "1 MB free", "Make room.")
    assert report.line(fault) == "✗ fault · Disk: 1 MB free\n    → Make room."
    assert not report.is_ready([fault]) and report.summary([fault]).startswith("Not ready")
    i18n.choose("bn")
    assert report.line(fault).startswith("✗ সমস্যা · ")
    assert "১টা" in report.summary([fault])
    done = CliRunner().invoke(cli, ["--lang", "bn", "doctor"])
    assert "ঘড়ি" in done.output and "\x1b" not in done.output  # no colour but on a terminal


def test_a_port_of_another_program_is_named_with_its_holder() -> None:
    port = free_port()
    program = f"import socket,time; s=socket.create_server(('', {port})); print(); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        found = ports.judge(port, ports.who(port, {}), ["4", "5"])
        other.kill()
    assert found.state == "fault" and f"({other.pid})" in found.value
    assert "lessons 4, 5" in found.fix
    assert ports.judge(port, ports.who(port, {}), []).value == "free"


def test_a_port_of_the_labs_own_container_is_no_fault(tmp_path: Path) -> None:
    docker = Docker(tmp_path / "home")
    docker("run", "-d", "-p", "5003:5000", "--name", "third", "registry:2")
    found = {one.name: one for one in ports.ports()}["port-5003"]
    assert (found.state, found.value) == ("ok", "in use by the lab's own container third")


def test_ports_of_others_as_they_may_be() -> None:
    hers = ports.judge(5000, ports.Holder("web"), ["1"])
    assert hers.state == "fault" and hers.fix.startswith("docker stop web.")
    assert "AirPlay" in ports.judge(5000, ports.Holder(program="ControlCe"), ["1"], "darwin").fix
    assert "AirPlay" not in ports.judge(5001, ports.Holder(program="x"), ["1"], "darwin").fix
    assert ports.judge(8888, ports.Holder(program="jupyter"), []).state == "warning"
    needed = ports.wanted()
    assert needed[5001] == ["3", "8"] and "1" in needed[5000]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid(), reason="only root mounts a disk")
def test_a_disk_that_is_really_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)]
    subprocess.run(mount, check=True)
    try:
        monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "not" / "yet"))
        found = machine.disk()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    assert (found.state, found.value.split(" free")[0]) == ("fault", "16 MB")
    states = [machine.judge_disk(size, "/").state for size in (10**8, 5 * 10**8, 2 * 10**9)]
    assert states == ["fault", "warning", "ok"]
    states = [machine.judge_memory(size).state for size in (-1, 5 * 10**8, 2 * 10**9)]
    assert states == ["fault", "warning", "ok"]
    assert machine.memory().value.endswith("free")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="they have a font")
def test_no_font_and_nobody_who_knows_of_fonts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, need: object
) -> None:
    need("fc-list")  # type: ignore[operator]
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{tmp_path}</dir></fontconfig>")
    with monkeypatch.context() as patch:
        patch.setenv("FONTCONFIG_FILE", str(config))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert machine.font().state == "fault" and "fonts-lohit" in machine.font().fix
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.font().state == "warning" and "fc-list" in machine.font().value


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "file"))
    found = folders.folders()[0]
    assert found.state == "fault" and "DOCKERLAB_HOME" in found.fix
    good = folders.judge("state-folder", "Folder", tmp_path / "new", "--dir")
    assert good.state == "ok" and not (tmp_path / "new").exists()


def test_a_proxy_that_would_catch_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "no_proxy", "all_proxy", "NO_PROXY", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert network.proxy().state == "ok"
    monkeypatch.setenv("http_proxy", "http://rahima:secret@proxy:3128")
    caught = network.proxy()
    assert caught.state == "fault" and "secret" not in caught.value + caught.fix
    names = re.search(r"NO_PROXY=(\S+)", caught.fix)
    assert names
    monkeypatch.setenv("no_proxy", names[1])
    assert network.proxy().state == "ok"


@contextmanager
def clock(seconds: float) -> Iterator[str]:
    """A real server whose clock is ahead of ours; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(401)
            self.send_header("Date", formatdate(time.time() + seconds, usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(
    ("seconds", "state", "value"),
    [
        (0, "ok", "right"),
        (3600, "fault", "60 minutes behind"),
        (-180, "warning", "3 minutes ahead"),
    ],
)
def test_the_clock_is_compared_with_what_the_internet_says(
    seconds: int, state: str, value: str
) -> None:
    with clock(seconds) as url, Looks(url, url) as looks:
        answer = looks.answer()
    assert network.internet(answer).state == "ok"
    found = network.clock(answer)
    assert (found.state, found.value) == (state, value)


def test_without_internet_it_says_that_the_clock_was_not_compared() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        port = silent.getsockname()[1]
        with Looks(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{free_port()}/") as looks:
            answer = looks.answer()
    assert network.internet(answer).state == "warning"
    found = network.clock(answer)
    assert found.state == "warning" and found.value.startswith("not compared")
    assert network.judge_clock(None, -86400.0).state == "fault"


def test_a_certificate_that_nobody_knows_is_told(tmp_path: Path) -> None:
    made = issue(tmp_path, "localhost", authority=tmp_path / "authority")
    settings = {
        "REGISTRY_HTTP_TLS_CERTIFICATE": str(made.certificate),
        "REGISTRY_HTTP_TLS_KEY": str(made.key),
    }
    with start_server(tmp_path / "root", env=settings) as server:
        url = f"https://{server.address}/v2/"
        with Looks(url, url) as looks:
            answer = looks.answer()
    found = network.internet(answer)
    assert found.state == "warning" and "certificate" in found.value


def test_packages_that_are_missing_or_too_old() -> None:
    assert software.packages().state == "ok"
    assert "jupyterlab 4" in software.packages().value
    wanted = [*(metadata.requires("dockerlab") or ()), "granian>=99.0", "no-such-package>=1.0"]
    found = software.judge_packages(wanted, {"granian": metadata.version("granian")})
    assert found.state == "fault" and "no-such-package is missing" in found.value
    assert '"granian>=99.0"' in found.fix and "pip install -U" in found.fix
    assert software.judge_python((3, 9), "3.9.2", "python").state == "fault"
    assert software.python().state == "ok"


def test_an_engine_that_is_wanted_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.engine().state == "ok"
    monkeypatch.setenv("DOCKERLAB_ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setattr("dockerlab.engine._PATIENCE", 0.1)
    assert engines.engine().state == "fault"
    monkeypatch.setenv("DOCKERLAB_ENGINE", "")
    named = engines.engine()
    assert named.state == "warning" and "/nowhere.sock" in named.fix


def test_engines_as_they_may_be() -> None:
    judge = engines.judge_engine
    assert judge("Docker Engine", "28.2.2", "unix:///x", "28.2.2").state == "ok"
    assert "update Docker" in judge("Docker Engine", "19.03.15", "unix:///x", "19.03").fix
    assert "docker-cli" in judge("Docker Engine", "20.10.24", "unix:///x", "").fix
    assert judge("Podman", "4.3.1", "unix:///x", "4.3.1").state == "ok"
    states = [
        engines.judge_image(own=False, there=there, mirrored=mirrored, online=online).state
        for there, mirrored, online in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0))
    ]
    assert states == ["ok", "warning", "warning", "fault"]
