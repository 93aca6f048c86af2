"""The learner's copy is kept, brought up to date, and never overwritten."""

import errno
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from dockerlab import workspace

FIRST = "en/02-image-names.ipynb"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A small course, which can be given new versions."""
    root = tmp_path / "course"
    (root / "en").mkdir(parents=True)
    (root / "start.md").write_text("one", "utf-8")
    write(root / FIRST, "one")
    return root


def write(path: Path, text: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text, id="a")])
    notebook.metadata["language_info"] = {"name": "python", "version": "3.0"}
    path.write_text(nbformat.writes(notebook), "utf-8")


def read(path: Path) -> str:
    cell = nbformat.read(path, as_version=4).cells[0]
    return str(cell.source)


def test_the_whole_course_is_copied(tmp_path: Path) -> None:
    made = workspace.prepare(tmp_path / "mine")
    for lang in ("bn", "en"):
        assert {f"{lang}/{name}.ipynb" for name in workspace.lessons()} <= set(made.ours)
    files = [path for path in made.path.rglob("*") if path.is_file()]
    assert len(files) == len(made.updated) + 1  # and the record
    assert not (made.path / "bn" / ".ipynb_checkpoints").exists()


def test_a_copy_names_the_running_python_or_jupyterlab_would_call_it_modified(
    course: Path, tmp_path: Path
) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    copied = nbformat.read(mine / FIRST, as_version=4)
    assert copied.metadata.language_info.version == platform.python_version()


def test_nothing_is_written_twice(course: Path, tmp_path: Path) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    before = {path: path.stat().st_mtime_ns for path in mine.rglob("*.ipynb")}
    again = workspace.prepare(mine, course)
    assert (again.updated, again.beside, again.ours) == ([], [], [FIRST])
    assert {path: path.stat().st_mtime_ns for path in mine.rglob("*.ipynb")} == before


def test_an_untouched_lesson_follows_the_course(course: Path, tmp_path: Path) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    write(course / FIRST, "two")
    assert workspace.prepare(mine, course).updated == [FIRST]
    assert read(mine / FIRST) == "two"


def test_a_changed_lesson_is_hers_and_a_newer_one_is_laid_beside_once(
    course: Path, tmp_path: Path
) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    write(mine / FIRST, "my own words")
    kept = workspace.prepare(mine, course)
    assert (kept.updated, kept.beside, kept.ours) == ([], [], [])
    write(course / FIRST, "two")
    assert workspace.prepare(mine, course).beside == ["en/02-image-names.new.ipynb"]
    assert workspace.prepare(mine, course).beside == []
    assert read(mine / FIRST) == "my own words"
    assert read(mine / "en/02-image-names.new.ipynb") == "two"


def test_a_changed_newer_version_is_hers_too(course: Path, tmp_path: Path) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    for number, name in enumerate(["", ".new", ".new2", ".new3"]):
        place = mine / f"en/02-image-names{name}.ipynb"
        assert read(place) == ("one" if number == 0 else f"course {number}")
        write(place, f"mine {number}")
        write(course / FIRST, f"course {number + 1}")
        workspace.prepare(mine, course)
    write(course / FIRST, "last")
    assert workspace.prepare(mine, course).beside == ["en/02-image-names.new4.ipynb"]
    assert read(mine / "en/02-image-names.new3.ipynb") == "mine 3"


def test_a_deleted_lesson_comes_back(course: Path, tmp_path: Path) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    (mine / FIRST).unlink()
    assert workspace.prepare(mine, course).updated == [FIRST]


@pytest.mark.parametrize("record", ["", "{", "[1]", '{"start.md": 3}', "\udcff"])
def test_a_lost_record_costs_nothing(course: Path, tmp_path: Path, record: str) -> None:
    mine = workspace.prepare(tmp_path / "mine", course).path
    (mine / ".dockerlab.json").write_bytes(record.encode("utf-8", "surrogateescape"))
    (mine / "start.md").write_text("mine", "utf-8")
    made = workspace.prepare(mine, course)
    assert (made.updated, made.beside) == (["start.new.md"], ["start.new.md"])
    assert (mine / "start.md").read_text("utf-8") == "mine"
    assert set(json.loads((mine / ".dockerlab.json").read_text("utf-8"))) >= {"start.md", FIRST}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("05", "05-tag-push-pull"),
        ("5", "05-tag-push-pull"),
        ("৫", "05-tag-push-pull"),
        ("05-tag-push-pull.ipynb", "05-tag-push-pull"),
        ("tag-push-pull", "05-tag-push-pull"),
        (" Names ", "02-image-names"),
    ],
)
def test_a_lesson_goes_by_number_name_or_part(asked: str, name: str) -> None:
    assert workspace.lesson(asked) == f"{name}.ipynb"


def test_a_folder_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(workspace.WorkspaceError, match="a file stands where") as caught:
            workspace.prepare(path)
        assert str(path) in str(caught.value)
    (tmp_path / "mine" / "start.md").mkdir(parents=True)
    with pytest.raises(workspace.WorkspaceError, match="or the other way round"):
        workspace.prepare(tmp_path / "mine")


def test_the_courses_own_folder_is_refused() -> None:
    with pytest.raises(workspace.WorkspaceError, match="the course keeps its own files"):
        workspace.prepare(workspace.course() / "en" / "..")
    assert not (workspace.course() / ".dockerlab.json").exists()


def test_reasons_in_bangla(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKERLAB_LANG", "bn")
    for number in (errno.EACCES, errno.ENOSPC, errno.EISDIR, errno.EINVAL):
        said = str(workspace.WorkspaceError(tmp_path, number))
        assert said.isascii() is False
        assert "folder" not in said.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("option", "reason"), [("size=16k", "the disk is full"), ("ro", "you may not write there")]
)
def test_a_disk_that_takes_nothing_is_named_and_the_next_run_mends_it(
    tmp_path: Path, option: str, reason: str
) -> None:
    command = ["unshare", "--mount", "--map-root-user", sys.executable, "-c", FULL_DISK]
    if not shutil.which("unshare") or subprocess.run([*command[:3], "true"]).returncode:
        pytest.skip("this machine has no mounts of one's own")
    command += [str(tmp_path / "disk"), option]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert reason in first
    assert second == "[] ['.dockerlab.json']"


FULL_DISK = """
import subprocess, sys
from pathlib import Path
from dockerlab import workspace
where, option = Path(sys.argv[1]), sys.argv[2]
where.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", option, "none", where], check=True)
try:
    workspace.prepare(where / "mine")
except workspace.WorkspaceError as error:
    print(error)
subprocess.run(["mount", "-o", "remount,rw,size=8m", where], check=True)
made = workspace.prepare(where / "mine")
print(made.beside, [path.name for path in made.path.rglob(".*")])
"""
