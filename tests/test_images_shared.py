"""Several processes on one host's images, and images on a broken disk."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dockerlab.engine.images import ImageStore
from dockerlab.image import sample
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from tests.dockers import Docker

WORKER = """
import io, sys
from pathlib import Path
from dockerlab.engine.commands import run
from dockerlab.engine.embedded import Embedded

engine, number = Embedded(Path(sys.argv[1])), sys.argv[2]
problems = []
for turn in range(15):
    for words in (
        ["pull", "-q", "nginx:1.27"],
        ["tag", "nginx:1.27", f"mine-{number}:{turn}"],
        ["rmi", "nginx:1.27"],
        ["image", "prune", "-f"],
        ["rmi", f"mine-{number}:{turn}"] if turn % 2 else ["images"],
    ):
        out, err = io.StringIO(), io.StringIO()
        status = run(words, engine, out, err)
        missed = "No such image: nginx:1.27" in err.getvalue()
        if status and not missed:
            problems.append((words, err.getvalue()))
        if missed and words[0] == "tag":
            break  # another process was quicker
    if turn == 7:
        engine.images.add_sample("my-image", f"sample-{number}")
print(problems)
sys.exit(bool(problems))
"""


def test_processes_that_pull_tag_and_remove_at_once(tmp_path: Path) -> None:
    """Between them they never break an image, lose a name or leave a blob behind."""
    docker = Docker(tmp_path)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(3)
    ]
    for worker in workers:
        output, _ = worker.communicate(timeout=120)
        assert (output, worker.returncode) == ("[]\n", 0)
    names = docker.good("images", "--format", "{{.Repository}}").split()
    assert {f"sample-{number}" for number in range(3)} <= set(names)
    images = docker.engine.images
    for image in images.list():
        for layer in image.layers:
            images.layout.open(layer).close()
        assert images.files(image, "greeting")
    docker.good("image", "prune", "-af")
    assert [file for file in (images.path / "blobs").rglob("*") if file.is_file()] == []


def test_nothing_is_swept_while_a_pull_is_under_way(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    images = docker.engine.images
    elsewhere = ImageStore(images.path, docker.engine.hub)
    seen: list[str] = []

    def removes(step: object) -> None:
        """What another process may do between any two steps."""
        elsewhere.sweep()
        seen.append(str(step))

    images.pull(Reference.parse("nginx"), removes)
    assert seen
    assert images.files(images.find("nginx"), "greeting")


def test_a_pull_that_was_killed_is_swept_up(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    images = docker.engine.images
    script = """
import os, sys
from pathlib import Path
from dockerlab.engine.embedded import Embedded
from dockerlab.image.reference import Reference

def die(step):
    if step.state == "done":
        os._exit(9)

Embedded(Path(sys.argv[1])).images.pull(Reference.parse("nginx"), die)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == 9
    assert [file for file in (images.path / "blobs").rglob("*") if file.is_file()]
    assert docker.good("image", "prune", "-f") == "Total reclaimed space: 0B\n"
    assert [file for file in (images.path / "blobs").rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"manifests": 1}', "\0" * 100])
def test_an_index_that_is_broken(tmp_path: Path, content: str) -> None:
    docker = Docker(tmp_path)
    docker.engine.images.add_sample("my-image", "my-image")
    (docker.engine.images.path / "index.json").write_text(content)
    for words in (["images"], ["tag", "a", "b"], ["rmi", "a"], ["pull", "nginx"], ["push", "a"]):
        assert "index.json is not readable" in docker.bad(*words)


def test_a_blob_that_is_lost_is_fetched_again(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    docker.good("pull", "nginx")
    image = docker.engine.images.find("nginx")
    layer = image.layers[2]
    for damage in (lambda path: path.unlink(), lambda path: path.write_bytes(b"")):
        damage(image.layout.blob_path(layer.digest))
        assert "nginx" in docker.good("images")
        assert docker.bad("save", "-o", str(tmp_path / "x.tar"), "nginx")
        assert not (tmp_path / "x.tar").exists()
        docker.good("pull", "nginx")
        assert docker.engine.images.files(image, "greeting")


@pytest.mark.parametrize("part", ["config", "manifest"])
def test_an_image_without_its_config_or_manifest_can_be_removed(tmp_path: Path, part: str) -> None:
    docker = Docker(tmp_path)
    docker.engine.images.add_sample("my-image", "my-image")
    image = docker.engine.images.find("my-image")
    digest = image.id if part == "config" else image.descriptor.digest
    image.layout.blob_path(digest).unlink()
    assert "is missing" in docker("save", "-o", str(tmp_path / "x.tar"), "my-image").err
    assert docker.good("rmi", "my-image").startswith("Untagged: my-image:latest\nDeleted: sha256:")
    assert docker.good("images", "-q") == ""


def test_a_broken_image_is_in_nobodys_way(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    docker.good("pull", "nginx")
    docker.good("pull", "hello-world")
    broken = docker.engine.images.find("nginx")
    broken.layout.blob_path(broken.descriptor.digest).unlink()
    assert docker.good("rmi", "hello-world").startswith("Untagged: hello-world:latest\n")
    assert docker.good("images", "--format", "{{.Repository}}") == "nginx\n"
    docker.good("pull", "hello-world")
    docker.good("pull", "nginx")
    assert docker.engine.images.files(docker.engine.images.find("nginx"), "greeting")


def test_what_is_known_of_pushes_may_be_lost(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    docker.good("pull", "nginx")
    (docker.engine.images.path / "pushed.json").write_text("[")
    docker.good("pull", "nginx:1.27")
    known = json.loads((docker.engine.images.path / "pushed.json").read_text())
    assert list(known) == ["docker.io"]


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    docker.good("pull", "nginx")
    if sys.platform == "win32":
        pytest.skip("Windows has other permissions")
    written = [path for path in docker.engine.images.path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in written if path.name != ".lock"} == {0}


def test_the_hub_is_shared_and_never_changed_by_a_pull(tmp_path: Path) -> None:
    hub = sample.hub(tmp_path / "hub")
    before = sorted(path.name for path in (tmp_path / "hub").rglob("*") if path.is_file())
    store = ImageStore(tmp_path / "images", lambda: Layout(tmp_path / "hub"))
    store.pull(Reference.parse("nginx"))
    after = sorted(path.name for path in (tmp_path / "hub").rglob("*") if path.is_file())
    assert before == after
    assert hub.entries()
