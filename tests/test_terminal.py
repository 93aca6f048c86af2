"""The word `docker` in a terminal of the course's JupyterLab."""

import os
import shutil
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from running import open_course

from dockerlab.engine import word
from tests.labs import Lab

pytestmark = pytest.mark.skipif(os.name == "nt", reason="types into a POSIX shell")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that the PATH holds: a folder without docker."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "bash", "ls"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("SHELL", str(folder / "bash"))
    return folder


def test_it_is_the_labs_command_line_until_a_real_docker_is_there(
    tmp_path: Path, programs: Path
) -> None:
    with open_course(tmp_path / "home", "--port", "0", "--dir", str(tmp_path / "mine")) as course:
        address = urlsplit(course.url)
        lab = Lab(f"http://{address.netloc}/", parse_qs(address.query)["token"][0])
        said = lab.type("docker ps; echo $((6*7))", "42")
        assert "CONTAINER ID   IMAGE" in said, said
        said = lab.type("cd && docker tag 'a b' c; echo status $?.", "status 1.")
        assert "invalid reference format" in said, said
        with lab.kernel("bn/00-start.ipynb") as kernel:
            assert "CONTAINER ID" in kernel.run("!docker ps")
        docker = programs / "docker"
        docker.write_text("#!/bin/sh\necho real $((6*7))\n")
        docker.chmod(0o755)
        assert "real 42" in lab.type("docker ps", "42")


def test_it_is_never_taken_for_a_docker(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "home"))
    word.lay()
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), str(word.folder())]))
    assert shutil.which("docker") == str(word.folder() / "docker")
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path / "another"))
    assert word.real() is None
    (programs / "docker").symlink_to(programs / "sh")
    assert word.real() == str(programs / "docker")
    assert stat.S_IMODE(Path(os.environ["PATH"].split(os.pathsep)[1]).stat().st_mode) == 0o700
