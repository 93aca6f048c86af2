"""The OCI layout on disk: atomic, verified, shared, and clear about what is wrong with it."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockerlab.errors import (
    BlobMissing,
    DigestMismatch,
    InvalidDigest,
    InvalidManifest,
    LayoutError,
    SizeMismatch,
)
from dockerlab.image import digest as digests
from dockerlab.image import sample
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import OCI_LAYER, OCI_MANIFEST, Descriptor, Platform

CONTENT = b"some bytes"
BLOB = Descriptor(OCI_LAYER, digests.of(CONTENT), len(CONTENT))
SOMEONE = 65534  # "nobody" on Linux


def files(path: Path) -> set[str]:
    """All files below `path`, but the lock."""
    found = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {name for name in found if name != ".lock"}


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be a user whom permissions stop."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs Unix permissions")
    before = os.geteuid()
    if before == 0:
        os.seteuid(SOMEONE)
    try:
        yield
    finally:
        os.seteuid(before)


def test_new_layout_is_what_the_spec_says(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "deep" / "down")
    assert json.loads((layout.path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads((layout.path / "index.json").read_bytes())["manifests"] == []
    assert layout.entries() == ()


def test_skopeo_reads_it(tmp_path: Path, need: Callable[[str], str]) -> None:
    layout = sample.hub(tmp_path)
    command = [
        need("skopeo"),
        "inspect",
        "--raw",
        f"oci:{layout.path}:docker.io/library/nginx:1.27",
    ]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    found = layout.resolve("docker.io/library/nginx:1.27")
    assert found and digests.of(raw) == found.digest


def test_blob_round_trip(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert not layout.has(BLOB)
    assert layout.add(CONTENT, OCI_LAYER) == BLOB
    assert layout.has(BLOB)
    assert layout.read(BLOB.digest) == CONTENT
    with layout.open(BLOB) as file:
        assert file.read() == CONTENT


def test_blob_missing(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(BlobMissing):
        layout.read(BLOB.digest)
    with pytest.raises(BlobMissing):
        layout.open(BLOB)
    with pytest.raises(InvalidDigest):
        layout.read("sha256:../../../etc/passwd")


def test_blob_cut_short(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.add(CONTENT, OCI_LAYER)
    layout.blob_path(BLOB.digest).write_bytes(CONTENT[:-1])
    assert not layout.has(BLOB)
    with pytest.raises(SizeMismatch) as caught:
        layout.open(BLOB)
    assert (caught.value.expected, caught.value.actual) == (len(CONTENT), len(CONTENT) - 1)
    with pytest.raises(DigestMismatch):
        layout.read(BLOB.digest)
    assert layout.add(CONTENT, OCI_LAYER) == BLOB
    assert layout.read(BLOB.digest) == CONTENT


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"some byteZ", DigestMismatch), (b"some", SizeMismatch), (CONTENT + b"!", SizeMismatch)],
)
def test_writer_keeps_nothing_that_is_wrong(
    tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    layout = Layout(tmp_path)
    before = files(tmp_path)
    with pytest.raises(error), layout.writer(BLOB) as writer:
        writer.write(content)
    assert files(tmp_path) == before


def test_writer_keeps_nothing_when_its_caller_fails(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    before = files(tmp_path)
    with pytest.raises(KeyboardInterrupt), layout.writer(BLOB) as writer:
        writer.write(CONTENT)
        raise KeyboardInterrupt
    assert files(tmp_path) == before


def test_blob_has_no_name_before_it_is_whole(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with layout.writer(BLOB) as writer:
        writer.write(CONTENT)
        assert not layout.blob_path(BLOB.digest).exists()
    assert layout.has(BLOB)


def test_leftovers_of_killed_processes_are_swept(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    old, new = layout.path / ".partial" / "old", layout.path / ".partial" / "new"
    for path in (old, new):
        path.write_bytes(b"half a blo")
    os.utime(old, (0, 0))
    layout.add(CONTENT, OCI_LAYER)
    assert not old.exists()
    assert new.exists()  # someone may still be writing it


def test_index(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    image = Descriptor(OCI_MANIFEST, BLOB.digest, 10, Platform("linux", "arm64", "v8"), {"a": "b"})
    entries = (Entry("one", image), Entry(None, image), Entry("two", BLOB))
    layout.update(lambda before: (*before, *entries))
    again = Layout(tmp_path)
    assert again.entries() == entries
    assert again.resolve("one") == image
    assert again.resolve("three") is None


def test_index_keeps_what_it_was_when_a_change_fails(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.update(lambda _: [Entry("one", BLOB)])
    with pytest.raises(ZeroDivisionError):
        layout.update(lambda before: [Entry("two", BLOB)] * (1 // 0))
    assert layout.resolve("one") == BLOB


def test_threads_lose_no_change(tmp_path: Path) -> None:
    layout = Layout(tmp_path)

    def add(name: str) -> None:
        for count in range(10):
            entry = Entry(f"{name}{count}", BLOB)
            layout.update(lambda before, entry=entry: (*before, entry))

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(layout.entries()) == 40


def test_processes_may_create_and_change_it_at_once(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from dockerlab.image.layout import Entry, Layout
layout = Layout(Path(sys.argv[1]))
for count in range(5):
    content = f"{sys.argv[2]} {count}".encode()
    added = layout.add(content, "text/plain")
    layout.update(lambda before: (*before, Entry(content.decode(), added)))
"""
    command = [sys.executable, "-c", program, str(tmp_path / "shared")]
    running = [subprocess.Popen([*command, name]) for name in "abcd"]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    layout = Layout(tmp_path / "shared")
    assert len(layout.entries()) == 20
    for entry in layout.entries():
        assert layout.read(entry.descriptor.digest).decode() == entry.name


def test_update_within_locked(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with layout.locked():
        layout.update(lambda _: [Entry("one", BLOB)])
        assert layout.resolve("one") == BLOB


def test_creation_that_was_killed_half_way_is_finished(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (layout.path / "oci-layout").unlink()
    layout.update(lambda _: [Entry("one", BLOB)])
    assert Layout(tmp_path).resolve("one") == BLOB


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"1.0.0"', '{"imageLayoutVersion":', "{}", "\xff", "[" * 100_000]
)
def test_broken_oci_layout(tmp_path: Path, text: str) -> None:
    (tmp_path / "oci-layout").write_text(text, "latin-1")
    with pytest.raises(LayoutError, match="oci-layout is not readable"):
        Layout(tmp_path)


def test_unknown_version(tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}')
    with pytest.raises(LayoutError, match="it has version 2.0.0"):
        Layout(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"manifests": 1}', '{"manifests": [{}]}', "\xff", "[" * 100_000]
    + ['{"manifests": [{"mediaType": "a", "digest": "sha256:1", "size": 1}]}'],
)
def test_broken_index(tmp_path: Path, text: str) -> None:
    layout = Layout(tmp_path)
    (tmp_path / "index.json").write_text(text, "latin-1")
    with pytest.raises(LayoutError, match="index.json is not readable"):
        layout.entries()
    with pytest.raises(LayoutError):
        layout.update(lambda before: before)
    assert (tmp_path / "index.json").read_text("latin-1") == text


def test_index_missing(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (tmp_path / "index.json").unlink()
    assert layout.entries() == ()


def test_path_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    for wrong in (path, path / "below"):
        with pytest.raises(LayoutError, match="it is not a folder"):
            Layout(wrong)
    assert path.read_text() == "mine"


def test_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LayoutError, match="it holds other files"):
        Layout(tmp_path)
    assert files(tmp_path) == {"thesis.txt"}
    assert not (tmp_path / ".lock").exists()


def test_no_permission_to_create(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with without_privileges(), pytest.raises(LayoutError, match="permission denied"):
        Layout(tmp_path / "new")


def test_no_permission_to_write(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for folder in (tmp_path, *(path for path in tmp_path.iterdir() if path.is_dir())):
        folder.chmod(0o555)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)
    with without_privileges():
        with pytest.raises(LayoutError, match="permission denied"):
            layout.add(CONTENT, OCI_LAYER)
        with pytest.raises(LayoutError, match="permission denied"):
            layout.update(lambda _: ())
    tmp_path.chmod(0o755)


def test_no_permission_to_read(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.add(CONTENT, OCI_LAYER)
    tmp_path.chmod(0o000)
    with without_privileges():
        assert not layout.has(BLOB)
        for call in (lambda: layout.read(BLOB.digest), lambda: layout.open(BLOB), layout.entries):
            with pytest.raises(LayoutError, match="permission denied"):
                call()
    tmp_path.chmod(0o755)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if not shutil.which("mount") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_full_disk(small_disk: Path) -> None:
    layout = Layout(small_disk)
    layout.update(lambda _: [Entry("one", BLOB)])
    before = files(small_disk)
    content = bytes(300 * 1024)
    with pytest.raises(LayoutError, match="no space left on device"):
        layout.add(content, OCI_LAYER)
    assert files(small_disk) == before
    assert layout.resolve("one") == BLOB
    layout.add(CONTENT, OCI_LAYER)  # what fits still goes in
    assert layout.read(BLOB.digest) == CONTENT


def test_manifest(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    raw = b'{"schemaVersion":2,"config":' + json.dumps(BLOB.to_json()).encode() + b',"layers":[]}'
    added = layout.add(raw, OCI_MANIFEST)
    assert layout.manifest(added).config == BLOB
    with pytest.raises(InvalidManifest):
        layout.manifest(layout.add(b"<html>", OCI_MANIFEST))
