"""What `pip install .` puts on a learner's machine."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_whole_package_and_the_lessons_are_in_it(wheel: list[str]) -> None:
    for folder in ("dockerlab", "notebooks"):
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                assert (name if folder == "dockerlab" else f"dockerlab/{name}") in wheel
    assert "dockerlab/locale/bn/LC_MESSAGES/dockerlab.mo" in wheel


def test_nothing_else_is_in_it(wheel: list[str]) -> None:
    strangers = [name for name in wheel if not name.startswith(("dockerlab/", "dockerlab-"))]
    assert strangers == []
    assert not any("__pycache__" in name or ".ipynb_checkpoints" in name for name in wheel)
