"""What is built of the project: a wheel and a source distribution, and what they do elsewhere."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from dockerlab import __version__
from tests.running import open_course

ROOT = Path(__file__).parent.parent
UNKEPT = {"__pycache__", ".ipynb_checkpoints"}


def build(folder: Path, target: Path, kind: str) -> Path:
    """The `wheel` or `sdist` of the project in `folder`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return next(target.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def contents(wheel: Path) -> dict[str, bytes]:
    """What a wheel holds, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built of the project."""
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a source distribution of the project unpacks to."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(build(ROOT, folder, "sdist")) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    return folder / f"dockerlab-{__version__}"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with the wheel, which borrows from ours what the wheel depends on."""
    if not find_spec("pip"):
        pytest.skip("pip is not installed here")
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [str(inside), "-c", asked], capture_output=True, check=True, text=True
    )
    borrowed = Path(packages.stdout.strip()) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    install = [sys.executable, "-m", "pip", "--python", str(inside), "install", "--quiet"]
    install += ["--no-index", "--no-deps", "--ignore-installed", str(wheel)]
    subprocess.run(install, check=True)
    return str(inside)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in from which nothing leads to the repository."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("DOCKERLAB_ENGINE", "embedded")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_wheel_holds_the_package_the_lessons_and_nothing_else(wheel: Path) -> None:
    names = set(contents(wheel))
    for path in (ROOT / "dockerlab").rglob("*"):
        if path.is_file() and not UNKEPT & set(path.parts):
            assert path.relative_to(ROOT).as_posix() in names
    kinds = ("*.md", "??/*.ipynb", "pictures/*.svg")
    lessons = {path.relative_to(ROOT) for kind in kinds for path in ROOT.glob(f"notebooks/{kind}")}
    held = {name for name in names if name.startswith("dockerlab/notebooks/")}
    assert held == {f"dockerlab/{path.as_posix()}" for path in lessons}
    assert "dockerlab/locale/bn/LC_MESSAGES/dockerlab.mo" in names
    assert [name for name in names if not name.startswith("dockerlab")] == []
    assert [name for name in names if UNKEPT & set(name.split("/"))] == []


def test_the_source_distribution_holds_all_that_git_keeps(source: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git repository")
    kept = {name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file() and name}
    files = (path for path in source.rglob("*") if path.is_file())
    held = {path.relative_to(source).as_posix() for path in files}
    assert kept - held == set()
    assert {name for name in held if UNKEPT & set(name.split("/")) or name.endswith(".mo")} == set()


def test_the_wheel_of_the_source_distribution_is_the_same(
    source: Path, wheel: Path, tmp_path: Path
) -> None:
    assert contents(build(source, tmp_path, "wheel")) == contents(wheel)


def test_it_is_itself_that_is_installed(python: str, away: Path) -> None:
    program = "import dockerlab, dockerlab.workspace as it; print(dockerlab.__file__, it.course())"
    said = subprocess.run([python, "-c", program], capture_output=True, check=True, text=True)
    place = Path(python).parent.parent
    assert all(each.startswith(str(place)) for each in said.stdout.split())
    command = [str(Path(python).with_name("dockerlab")), "--version"]
    told = subprocess.run(command, capture_output=True, check=True, text=True)
    assert told.stdout == f"dockerlab, version {__version__}\n"
    command = [python, "-m", "dockerlab", "--lang", "bn", "--lesson", "99"]
    done = subprocess.run(command, capture_output=True)
    assert "বেছে নাও" in done.stderr.decode()


def test_the_course_opens_from_it_in_bangla_and_runs_a_registry(python: str, away: Path) -> None:
    options = ["--lang", "bn", "--lesson", "5", "--port", "0", "--dir", str(away / "mine")]
    with open_course(away / "home", *options, python=python) as course:
        assert "ইঞ্জিন" in course.said
        assert len(list((away / "mine").glob("??/*.ipynb"))) == len(
            list((ROOT / "notebooks").glob("??/*.ipynb"))
        )
        base, _, token = course.url.partition("/lab/tree/bn/05-tag-push-pull.ipynb?")
        with urllib.request.urlopen(f"{base}/lab/api/translations/bn_BD?{token}") as answer:
            words = json.load(answer)["data"]["jupyterlab"]
        assert words["Cut Cell"] != ["Cut Cell"] and len(words) > 100
        run = "docker run -d -p 127.0.0.1::5000 --name registry registry:2"
        assert len(course.command(*run.split()).strip()) == 64
        address = course.command("docker", "port", "registry", "5000/tcp").strip()
        with urllib.request.urlopen(f"http://{address}/v2/") as answer:
            assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert any(python in process.cmdline()[0] for process in course.processes())
