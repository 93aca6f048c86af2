"""`dockerlab` opens the course, says how to get there, and leaves nothing running."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import open_course

from dockerlab.cli import cli
from dockerlab.jupyter import environment


def get(url: str) -> tuple[int, str]:
    """Status and final address of a page."""
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.status, response.url


def test_opens_a_lesson_on_a_free_port_and_ends_everything_on_ctrl_c(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = f"--lang bn --lesson ৫ --port {port} --dir {tmp_path / 'lessons'}"
        with open_course(tmp_path / "home", *options.split()) as course:
            assert course.port not in (0, port)
            assert f":{course.port}/lab/tree/bn/05-tag-push-pull.ipynb?token=" in course.url
            assert get(course.url)[0] == 200
            assert "login" in get(course.url.partition("?")[0])[1]
            assert "ইঞ্জিন" in course.said
            assert "ServerApp" not in course.said
            assert len(course.processes()) >= 2
            course.command("docker", "run", "-d", "-p", "127.0.0.1::5000", "registry:2")
            assert any("dockerlab.registry.serve" in p.cmdline() for p in course.processes())
            assert course.end(signal.SIGINT) == 0
            assert course.processes() == []
            assert course.command("docker", "ps", "-aq", "--filter", "status=exited")


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with open_course(tmp_path / "home", "--port", "0", "--dir", str(tmp_path / "l")) as course:
        assert "/lab/tree/start.md?" in course.url
        assert course.end(signal.SIGTERM, signal.SIGTERM) == 0
        assert course.processes() == []


def test_it_may_be_ended_while_it_starts(tmp_path: Path) -> None:
    arguments = ["--port", "0", "--dir", str(tmp_path / "l")]
    with open_course(tmp_path / "home", *arguments, until="Starting JupyterLab") as course:
        assert course.end(signal.SIGINT) == 0
        assert "Traceback" not in course.said
        assert course.processes() == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    with open_course(tmp_path / "home", "--port", "0", "--dir", str(tmp_path / "l")) as course:
        course.hang_up()
        course.end(signal.SIGHUP)
        assert course.processes() == []


def test_says_so_when_jupyterlab_breaks_down(tmp_path: Path) -> None:
    with open_course(tmp_path / "home", "--port", "0", "--dir", str(tmp_path / "l")) as course:
        for process in course.processes():
            if process.pid != course.process.pid:
                process.kill()
        assert course.end() == 1
        assert "JupyterLab has stopped by itself" in course.said
        assert "Traceback" not in course.said


def test_an_unknown_lesson_names_those_that_are_near(tmp_path: Path) -> None:
    for asked, offered in [("tag-psh", "05-tag-push-pull"), ("99", "02-image-names"), ("", "00-")]:
        result = CliRunner().invoke(cli, ["--dir", str(tmp_path / "l"), "--lesson", asked])
        assert result.exit_code == 1
        assert f"“{asked}” is not the name of one lesson" in result.output
        assert offered in result.output
        assert not (tmp_path / "l").exists()


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    assert CliRunner().invoke(cli, ["--port", port]).exit_code == 2


def test_a_home_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    surroundings = {"DOCKERLAB_HOME": str(tmp_path / "file")}
    arguments = ["--no-browser", "--dir", str(tmp_path / "lessons")]
    result = CliRunner().invoke(cli, arguments, env=surroundings)
    assert result.exit_code == 1
    assert f"dockerlab cannot use its folder {tmp_path / 'file'}" in result.output


def test_help_speaks_the_learners_language() -> None:
    command = [sys.executable, "-m", "dockerlab", "--help"]
    for lang, words in (("bn", "পোর্ট"), ("en", "Port of JupyterLab")):
        surroundings = os.environ | {"DOCKERLAB_LANG": lang}
        said = subprocess.run(command, env=surroundings, capture_output=True, check=True)
        assert words in said.stdout.decode()


def test_docker_takes_every_word_as_it_stands_and_explains_a_failure() -> None:
    result = CliRunner().invoke(cli, ["docker", "tag", "--", "nothing", "localhost:5000/My-Image"])
    assert result.exit_code == 1
    assert "must be lowercase" in result.output
    assert "has capital letters" in result.output


def test_reset_asks_first_and_keeps_everything_on_a_no() -> None:
    for arguments, answer, status in ([["reset"], "n", 1], [["reset", "--yes"], None, 0]):
        result = CliRunner().invoke(cli, arguments, input=answer)
        assert result.exit_code == status
        assert ("Your lab is empty again." in result.output) == (status == 0)


def test_a_learners_own_surroundings_stay_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VIRTUAL_ENV", "JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / "hers"))
    inside = environment(tmp_path / "ours")
    assert str(tmp_path / "hers") not in inside.values()
    assert inside["IPYTHONDIR"] == str(tmp_path / "ours" / "ipython")
