"""goto, reset and undo: quick, whole, and never the end of anything."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dockerlab import i18n, lab
from dockerlab.cli import cli
from dockerlab.course import moving, progress
from dockerlab.course.beginning import UnknownLesson
from dockerlab.course.outline import lessons
from dockerlab.course.prepared import PortTaken
from dockerlab.engine import commands, sweeping
from dockerlab.engine.past import LabBusy, NothingKept, Past
from dockerlab.engine.past import moving as machinery
from dockerlab.errors import Unavailable
from dockerlab.image.layout import Layout
from dockerlab.registry.client import Registry
from tests import jumps
from tests.containing import free_port
from tests.dockers import Docker

LESSON, LOOKING = "05-tag-push-pull", "01-what-is-a-registry"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    """An empty lab on the course's own engine."""
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    made = Docker(tmp_path / "home")
    yield made
    for host in made.engine.hosts():
        host.reset()


@pytest.fixture
def address(docker: Docker) -> str:
    """Where the registry of a lab is that has all that there may be."""
    address = f"127.0.0.1:{free_port()}"
    jumps.build(docker, address)
    return address


def look(docker: Docker, address: str) -> object:
    """What the lab is now."""
    return jumps.look(docker.engine.root, address)


def test_undo_brings_all_back_and_redo_takes_it_again(docker: Docker, address: str) -> None:
    docker.good("run", "-d", "--rm", "-p", "0:5000", "--name", "fleeting", "registry:2")
    before = look(docker, address)
    said = moving.goto(LESSON, docker.engine)
    assert said[0] == "Your lab is at the start of this lesson: 5 · Tag, push, pull"
    assert "dockerlab undo" in said[-1]
    assert docker.good("ps", "-a", "--format", "{{.Names}}") == "fleeting\n"  # as no lesson made it
    assert "mine" in docker.good("volume", "ls", "-q")
    images = docker.good("images", "--format", "{{.Repository}}")
    assert "my-image" in images and "nginx\n" in images and address not in images
    moving.undo(docker.engine)
    assert look(docker, address) == before
    moving.undo(docker.engine, again=True)
    assert "my-image" in docker.good("images")
    moving.undo(docker.engine)
    moving.reset(docker.engine)
    assert (
        docker.good("ps", "-aq")
        == docker.good("images", "-q")
        == docker.good("volume", "ls", "-q")
        == ""
    )
    moving.undo(docker.engine)
    assert look(docker, address) == before
    with pytest.raises(NothingKept, match="nothing to undo"):
        moving.undo(docker.engine)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that die are forked")
@pytest.mark.parametrize(("way", "every"), [("goto", 25), ("reset", 2), ("undo", 4)])
def test_killed_before_any_move_it_can_still_be_undone(
    way: str, every: int, tmp_path: Path
) -> None:
    """`every` 1 takes a minute, and has passed, too."""
    surroundings = {"DOCKERLAB_HOME": str(tmp_path), "DOCKERLAB_ENGINE": "embedded"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.jumps", way, str(every), f"127.0.0.1:{free_port()}"],
        cwd=Path(__file__).parent.parent,
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 2


def test_every_lesson_begins_and_nothing_is_passed_by_that(docker: Docker) -> None:
    for lesson in lessons():
        moving.goto(lesson.name, docker.engine)
        assert progress.load().last == lesson.name
        assert not any(progress.load().passed(check) for check in lesson.checks)
        names = {registry["name"] for registry in lesson.begins.get("registries", ())}
        assert set(docker.good("ps", "--format", "{{.Names}}").split()) == names
    assert len(Past(docker.engine.root).kept()) == machinery.MOST


def test_what_is_dropped_is_said_and_a_new_way_forgets_what_was_undone(docker: Docker) -> None:
    said = [moving.goto(name, docker.engine) for name in 4 * [LESSON]]
    assert [line for lines in said[:3] for line in lines if "No longer kept" in line] == []
    assert "No longer kept, to save room: the lab before the jump to “5 · Tag" in said[3][-1]
    for _ in range(3):
        moving.undo(docker.engine)
    moving.undo(docker.engine, again=True)
    moving.goto(LOOKING, docker.engine)
    with pytest.raises(NothingKept, match="nothing to redo"):
        moving.undo(docker.engine, again=True)


def test_a_port_that_is_taken_meanwhile_is_named(docker: Docker, address: str) -> None:
    moving.reset(docker.engine)
    host, port = address.split(":")
    with socket.create_server((host, int(port))):
        said = moving.undo(docker.engine)
    assert (
        f"The container registry is back but not running: another program has taken port {port}"
        in said[1]
    )
    docker.good("start", "registry")
    assert jumps.look(docker.engine.root, address)["held"] == {"nginx": ["latest"]}


def test_what_cannot_be_leaves_the_lab_as_it_was(docker: Docker, address: str) -> None:
    before = look(docker, address)
    with pytest.raises(UnknownLesson):
        moving.goto("05", docker.engine)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 5000))
        other.listen()
        with pytest.raises(PortTaken):
            moving.goto(LOOKING, docker.engine)
    assert look(docker, address) == before
    assert Past(docker.engine.root).kept() == []


def test_two_at_once_come_one_after_the_other(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.good("pull", "-q", "nginx")
    goto = [sys.executable, "-m", "dockerlab", "goto"]
    both = [subprocess.Popen([*goto, name], stdout=subprocess.PIPE) for name in ("4", "5")]
    said = [each.communicate()[0].decode() for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert {one.lesson[:2] for one in Past(docker.engine.root).kept()} == {"04", "05"}
    monkeypatch.setattr(machinery, "_PATIENCE", 0.1)
    with Past(docker.engine.root).locked(), pytest.raises(LabBusy, match="Another goto"):
        moving.reset(docker.engine)


def test_a_pull_is_waited_for_and_a_push_ends_in_dockers_words(
    docker: Docker, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = look(docker, address)
    monkeypatch.setattr(machinery, "_QUIET", 0.2)
    with (
        sweeping.busy(Layout(docker.engine.path / "images")),
        pytest.raises(LabBusy, match="An image is just on its way"),
    ):
        moving.goto(LESSON, docker.engine)
    assert look(docker, address) == before

    monkeypatch.undo()
    monkeypatch.setenv("DOCKERLAB_HOME", str(docker.engine.root))
    out = io.StringIO()
    kernel = Docker(docker.engine.root).engine  # of another program

    def push() -> None:
        while not commands.run(["push", f"{address}/nginx"], kernel, out, out):
            pass

    pushing = threading.Thread(target=push)
    pushing.start()
    time.sleep(0.5)
    moving.reset(docker.engine)
    pushing.join(30)
    assert not pushing.is_alive()
    assert re.search("refused|EOF|reset|does not exist|No such", out.getvalue()), out.getvalue()
    assert commands.run(["pull", "-q", "nginx"], kernel, out, out) == 0  # it goes on as well
    assert commands.run(["images", "-q"], kernel, out, out) == 0


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid(), reason="only root mounts a disk")
def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    try:
        monkeypatch.setenv("DOCKERLAB_HOME", str(disk / "home"))
        monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
        docker, address = Docker(disk / "home"), f"127.0.0.1:{free_port()}"
        jumps.build(docker, address)
        before = look(docker, address)
        for room in (0, 4096, 40 * 1024):
            _fill(disk / "ballast", room)
            done = CliRunner().invoke(cli, ["goto", "5"])
            assert done.exit_code == 1, done.output
            assert re.search("no space left|disk is full", done.output, re.I), done.output
            (disk / "ballast").unlink()
            assert look(docker, address) == before, room
        assert CliRunner().invoke(cli, ["goto", "5"]).exit_code == 0
        _fill(disk / "ballast", 0)
        assert CliRunner().invoke(cli, ["undo"]).exit_code == 1
        (disk / "ballast").unlink()
        assert CliRunner().invoke(cli, ["undo"]).exit_code == 0
        assert look(docker, address) == before
    finally:
        (disk / "ballast").unlink(missing_ok=True)
        Docker(disk / "home").engine.reset()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(path: Path, room: int) -> None:
    """Leave so many bytes free on the disk of `path`."""
    with path.open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(path, max(0, path.stat().st_size - room))


def test_in_a_notebook_and_in_bangla(docker: Docker) -> None:
    docker.good("pull", "-q", "nginx")
    assert "lab.undo()" in repr(lab.reset())
    assert repr(lab.undo()).startswith("Undone: the reset.")
    assert "nginx" in docker.good("images")
    i18n.choose("bn")
    for arguments in (["goto", "৫"], ["undo"], ["redo"], ["reset", "--yes"]):
        done = CliRunner().invoke(cli, ["--lang", "bn", *arguments])
        assert done.exit_code == 0, done.output
        words = re.sub(r"“.*?”|dockerlab|undo|redo|lab|[(). ]", "", done.output)
        assert not re.search("[a-z]{4}", words.lower()), done.output
    assert CliRunner().invoke(cli, ["goto", "nowhere"]).exit_code == 1


def test_state_files_that_are_damaged_are_no_hindrance(docker: Docker) -> None:
    docker.good("pull", "-q", "nginx")
    moving.goto(LESSON, docker.engine)
    past = docker.engine.root / "past"
    (past / "0001" / "state.json").write_text("{", "utf-8")
    with pytest.raises(NothingKept):
        moving.undo(docker.engine)
    moving.goto(LESSON, docker.engine)
    assert json.loads((past / "0002" / "state.json").read_text())["what"] == "goto"
    assert (past / "0002" / "state.json").stat().st_mode & 0o77 == 0
    with pytest.raises(Unavailable), Registry("localhost:5000") as registry:
        registry.ping()
