"""The course on Binder: the folder `binder/`, and a learner's session in what it builds."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from dockerlab import workspace
from tests.binding import ROOT, Container

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BINDER = ROOT / "binder"
PYTHONS = ("3.10.19", "3.11.2", "3.12.12", "3.13.9", "3.14.0")
MACHINES = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
]
HEAVY = ("troubleshooting", "07-under-the-hood", "09-capstone")
LIMIT = 450_000_000  # bytes; what Binder guarantees a learner


def pinned(name: str) -> list[tuple[Requirement, list[str]]]:
    """The requirements in a file of `binder/`, and their hashes."""
    text = re.sub(r"(?m)^#.*\n", "", (BINDER / name).read_text("utf-8")).replace("\\\n", "")
    found = []
    for line in text.splitlines():
        wanted, *hashes = re.split(r"\s+--hash=", line)
        found.append((Requirement(wanted), hashes))
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "hub-requirements.txt"])
def test_every_line_is_pinned_and_hashed(name: str) -> None:
    for wanted, hashes in pinned(name):
        assert re.fullmatch(r"==[\w.]+", str(wanted.specifier)), wanted
        assert wanted.url is None
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine["sys_platform"])
@pytest.mark.parametrize("python", PYTHONS)
def test_they_are_what_the_project_and_binder_need(python: str, machine: dict[str, str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    lines = (BINDER / "requirements.in").read_text("utf-8").splitlines()
    wanted += [line for line in lines if not line.startswith("#")]
    here: Any = machine | {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
    }
    there = {
        each.name: str(each.specifier).removeprefix("==")
        for each, _hashes in pinned("requirements.txt")
        if each.marker is None or each.marker.evaluate(here)
    }
    for each in map(Requirement, wanted):
        if each.marker is None or each.marker.evaluate(here):
            assert each.specifier.contains(there[each.name.lower()], prereleases=True), each


@pytest.mark.skipif(os.name == "nt", reason="is a POSIX shell's")
def test_the_start_takes_no_time_and_puts_docker_where_it_is_found_last(tmp_path: Path) -> None:
    surroundings = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [BINDER / "start", "sh", "-c", 'echo "$PATH" "$@"', "sh", "a b"]
    begun = time.monotonic()
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
    assert time.monotonic() - begun < 0.9
    word = tmp_path / ".local" / "share" / "dockerlab" / "dockerlab-docker"
    assert done.stdout == f"{os.environ['PATH']}:{word} a b\n"


def test_the_python_and_the_font_are_named() -> None:
    assert (BINDER / "runtime.txt").read_text() == "python-3.12\n"
    assert "fonts-lohit-beng-bengali" in (BINDER / "apt.txt").read_text().splitlines()
    for name in ("postBuild", "start"):
        assert os.access(BINDER / name, os.X_OK)


@pytest.fixture(scope="module")
def lessons(image: str, need: Callable[[str], str]) -> Iterator[Container]:
    """Every notebook of both languages, run in the image while other tests look elsewhere."""
    options = "-p no:cacheprovider -o addopts= --nbval --nbval-current-env"
    command = f"python -m pytest -q {options} --nbval-cell-timeout=120 notebooks"
    with closing(Container(*command.split())) as container:
        yield container


@pytest.fixture
def session(lessons: Container) -> Iterator[Container]:
    """A learner's JupyterLab."""
    server = "jupyter lab --ip=127.0.0.1 --port=8888 --IdentityProvider.token=hers"
    with closing(Container(*server.split())) as container:
        yield container


def test_a_learners_session(session: Container) -> None:
    names = [f"notebooks/bn/{name}.ipynb" for name in HEAVY]
    learner = (sys.executable, "-m", "tests.labs", "http://127.0.0.1:8888/", "hers", *names)
    with session.watched() as memory:
        seen = json.loads(session.beside(*learner))
    print(f"\nBinder: a session takes {max(memory) / 1e6:.0f} MB at most")
    assert seen["trusted"]
    assert seen["pythons"] == [session.run("/srv/venv/bin/python", "-V").split()[1]]
    assert "registry:2" in seen["typed"], seen
    assert len(memory) > 20
    assert 100_000_000 < max(memory) < LIMIT
    assert listening(session) <= {"127.0.0.1", "::1"}


def listening(container: Container) -> set[str]:
    """The addresses at which anything listens in a container."""
    program = "import psutil; print(*(c.laddr.ip for c in psutil.net_connections() if not c.raddr))"
    return set(container.run("/srv/venv/bin/python", "-c", program).split())


def test_it_is_a_machine_without_root_internet_or_docker(session: Container) -> None:
    assert session.run("id", "-u") == "1000"
    rights = session.run("grep", "-E", "^(CapEff|CapBnd|NoNewPrivs)", "/proc/self/status").split()
    assert rights[1::2] == ["0" * 16, "0" * 16, "1"]
    assert session.run("ls", "/sys/class/net") == "lo"
    assert session.run("sh", "-c", "command -v docker || echo none") == "none"
    compiled = "from importlib.util import *; print(cache_from_source(find_spec('tornado').origin))"
    assert session.run("ls", session.run("/srv/venv/bin/python", "-c", compiled))
    assert "lohit-bengali" in session.run("ls", "/usr/share/fonts/truetype")


def test_every_notebook_of_both_languages_passes(lessons: Container) -> None:
    status, said = lessons.wait()
    assert status == 0, said
    passed = re.search(r"(\d+) passed", said)
    assert passed and int(passed[1]) > 20 * len(workspace.lessons()), said
    print(f"\nBinder: {said.splitlines()[-1]}")
