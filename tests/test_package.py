"""What `pip install .` puts on a learner's machine."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


@pytest.fixture(scope="module")
def wheel(installed: Path) -> list[str]:
    """The names of the files in the wheel."""
    return [path.relative_to(installed).as_posix() for path in installed.rglob("*")]


def test_the_whole_package_and_the_lessons_are_in_it(wheel: list[str]) -> None:
    for folder in ("dockerlab", "notebooks"):
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                assert (name if folder == "dockerlab" else f"dockerlab/{name}") in wheel
    assert "dockerlab/locale/bn/LC_MESSAGES/dockerlab.mo" in wheel


def test_nothing_else_is_in_it(wheel: list[str]) -> None:
    strangers = [name for name in wheel if not name.startswith("dockerlab")]
    assert strangers == []
    assert not any("__pycache__" in name or ".ipynb_checkpoints" in name for name in wheel)


def test_it_brings_its_own_lessons_and_words(installed: Path, tmp_path: Path) -> None:
    program = "from dockerlab.workspace import *; print(course(), prepare(Path('mine')).updated)"
    surroundings = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, check=True)
    assert done.stdout.decode().startswith(str(installed / "dockerlab" / "notebooks"))
    assert (tmp_path / "mine" / "bn" / "05-tag-push-pull.ipynb").exists()
    command = [sys.executable, "-m", "dockerlab", "--lang", "bn", "--lesson", "99"]
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True)
    assert "বেছে নাও" in done.stderr.decode()
