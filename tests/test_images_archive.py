"""`docker save` and `docker load`, and archives that nobody should load."""

import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockerlab.engine.commands import run
from dockerlab.image import layer as layers
from tests.dockers import Docker, real

Members = Mapping[str, bytes | tarfile.TarInfo]


class Terminal(io.StringIO):
    """Somewhere that shows text and takes no bytes."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    docker = Docker(tmp_path / "home")
    docker.engine.images.add_sample("nginx", "one:v1", 1)
    docker.engine.images.add_sample("nginx", "two", 2)
    return docker


@pytest.fixture
def other(docker: Docker) -> Docker:
    """A second host, without images."""
    return Docker(docker.engine.root, "host2")


def archive(members: Members) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo()
    member.type, member.linkname = kind, target
    return member


def classic(content: bytes = b"hello\n", **changes: bytes | tarfile.TarInfo) -> dict[str, object]:
    """What docker 20.10 writes: a config, and a folder for each layer."""
    tar = layers.tar("hello", content)
    diff_id = f"sha256:{hashlib.sha256(tar).hexdigest()}"
    config = json.dumps({"os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]}})
    name = hashlib.sha256(config.encode()).hexdigest()
    manifest = [{"Config": f"{name}.json", "RepoTags": ["old:1"], "Layers": ["abc/layer.tar"]}]
    return {
        f"{name}.json": config.encode(),
        "abc/layer.tar": tar,
        "manifest.json": json.dumps(manifest).encode(),
        **changes,
    }


def test_what_is_saved_can_be_loaded(docker: Docker, other: Docker, tmp_path: Path) -> None:
    path = str(tmp_path / "images.tar")
    assert docker.good("save", "-o", path, "one:v1", "two") == ""
    assert other.good("load", "-i", path) == "Loaded image: one:v1\nLoaded image: two:latest\n"
    for name in ("one:v1", "two"):
        here, there = docker.engine.images.find(name), other.engine.images.find(name)
        assert here.id == there.id
        assert here.descriptor.digest == there.descriptor.digest
        assert here.size == there.size
    assert other.good("image", "load", "-q", "-i", path).count("Loaded") == 2


def test_a_repository_means_all_its_tags_and_an_id_means_none(
    docker: Docker, other: Docker, tmp_path: Path
) -> None:
    path = str(tmp_path / "images.tar")
    docker.good("tag", "two", "one:v2")
    docker.good("image", "save", "--output", path, "one")
    assert sorted(other.good("load", "-i", path).split()[2::3]) == ["one:v1", "one:v2"]
    identifier = docker.engine.images.find("two").id
    docker.good("save", "-o", path, identifier[7:19])
    third = Docker(docker.engine.root, "host3")
    assert third.good("load", "-i", path) == f"Loaded image ID: {identifier}\n"
    assert third.good("images", "--format", "{{.Repository}}") == "<none>\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_load_reads_packed_archives_from_a_pipe(
    docker: Docker, other: Docker, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "images.tar"
    docker.good("save", "-o", str(path), "two")
    content = pack(path.read_bytes())
    assert len(content) < 60_000  # what a pipe takes before anyone reads
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as sink:
        sink.write(content)
    out = io.StringIO()
    with os.fdopen(reader, "rb") as pipe:
        assert run(["load"], other.engine, out, out, pipe) == 0
    assert out.getvalue() == "Loaded image: two:latest\n"
    again = other("load", stdin=content)
    assert again.out == "Loaded image: two:latest\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_load_reads_what_older_dockers_write(
    other: Docker, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "old.tar"
    members = classic()
    tar = members["abc/layer.tar"]
    assert isinstance(tar, bytes)
    members |= {"abc/layer.tar": link("../def/layer.tar"), "def/layer.tar": pack(tar)}
    path.write_bytes(archive(members))  # type: ignore[arg-type]
    assert other.good("load", "-i", str(path)) == "Loaded image: old:1\n"
    image = other.engine.images.find("old:1")
    assert f"{image.id[7:]}.json" in members
    assert image.size == 6
    assert other.engine.images.files(image, "hello") == b"hello\n"


def test_load_over_a_name_that_is_taken(docker: Docker, other: Docker, tmp_path: Path) -> None:
    path = str(tmp_path / "images.tar")
    docker.good("save", "-o", path, "two")
    old = other.engine.images.add_sample("my-image", "two").id
    assert other.good("load", "-i", path) == (
        f"The image two:latest already exists, renaming the old one with ID {old} to empty "
        "string\nLoaded image: two:latest\n"
    )
    assert other.good("images", "-q", "--no-trunc", "-f", "dangling=true") == f"{old}\n"


def test_save_refuses_a_terminal(docker: Docker) -> None:
    err = io.StringIO()
    assert run(["save", "two"], docker.engine, Terminal(), err) == 1
    assert err.getvalue() == (
        "cowardly refusing to save to a terminal. Use the -o flag or redirect\n"
    )


def test_load_of_nothing(docker: Docker) -> None:
    assert docker.bad("load") == "requested load from stdin, but stdin is empty\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nosuch"], "Error response from daemon: No such image: nosuch"),
        (["two", "nosuch"], "Error response from daemon: No such image: nosuch"),
        (["two:v9"], "Error response from daemon: reference does not exist"),
        (
            ["My-Image"],
            "Error response from daemon: invalid reference format: repository name must be "
            "lowercase",
        ),
    ],
)
def test_save_of_what_is_not_there(
    docker: Docker, tmp_path: Path, words: list[str], error: str
) -> None:
    path = tmp_path / "images.tar"
    assert docker.bad("save", "-o", str(path), *words) == f"{error}\n"
    assert list(tmp_path.glob("*.tar*")) == []


def test_save_to_where_it_cannot(docker: Docker, tmp_path: Path) -> None:
    assert docker.bad("save", "-o", str(tmp_path), "two") == (
        "failed to save image: cannot write to a directory\n"
    )
    missing = tmp_path / "nosuch"
    assert docker.bad("save", "-o", str(missing / "x.tar"), "two") == (
        f"failed to save image: invalid output path: stat {missing}: no such file or directory\n"
    )


def _broken() -> dict[str, tuple[bytes, str]]:
    good = classic()
    whole = archive(good)  # type: ignore[arg-type]
    other = layers.tar("hello", b"other\n")
    [line] = json.loads(str(good["manifest.json"], "utf-8"))  # type: ignore[arg-type]

    def changed(**changes: object) -> bytes:
        return json.dumps([line | changes]).encode()

    def with_manifest(manifest: bytes) -> bytes:
        return archive(good | {"manifest.json": manifest})  # type: ignore[arg-type]

    cut = "Error processing tar file(exit status 1): unexpected EOF"
    unreadable = "invalid archive: manifest.json is not readable"
    return {
        "empty": (b"", "invalid archive: does not contain a manifest.json"),
        "short": (b"hello\n", cut),
        "no tar": (
            b"x" * 20_480,
            "Error processing tar file(exit status 1): archive/tar: invalid tar header",
        ),
        "cut": (whole[:1500], cut),
        "cut gzip": (gzip.compress(whole)[:-200], cut),
        "no manifest": (archive({"x": b""}), "invalid archive: does not contain a manifest.json"),
        "manifest is no JSON": (with_manifest(b"{"), unreadable),
        "manifest is no list": (with_manifest(b"{}"), unreadable),
        "manifest of numbers": (with_manifest(b"[1]"), unreadable),
        "config is elsewhere": (
            with_manifest(changed(Config="../../etc/passwd")),
            "open ../../etc/passwd: no such file or directory",
        ),
        "config is absolute": (
            with_manifest(changed(Config="/etc/passwd")),
            "open /etc/passwd: no such file or directory",
        ),
        "layer leads out": (
            archive(good | {"abc/layer.tar": link("/etc/passwd")}),  # type: ignore[arg-type]
            "open abc/layer.tar: no such file or directory",
        ),
        "layer leads to itself": (
            archive(good | {"abc/layer.tar": link("layer.tar")}),  # type: ignore[arg-type]
            "open abc/layer.tar: no such file or directory",
        ),
        "layer is a device": (
            archive(good | {"abc/layer.tar": link("", tarfile.CHRTYPE)}),  # type: ignore[arg-type]
            "open abc/layer.tar: no such file or directory",
        ),
        "layer is another": (
            archive(good | {"abc/layer.tar": other}),  # type: ignore[arg-type]
            "invalid diffID for layer 0: expected ",
        ),
        "layers are too many": (
            with_manifest(changed(Layers=["abc/layer.tar"] * 2)),
            "invalid manifest, layers length mismatch: expected 1, got 2",
        ),
        "config is no config": (
            archive(good | {line["Config"]: b"[]"}),  # type: ignore[arg-type]
            "invalid rootfs in image configuration",
        ),
        "name is none": (with_manifest(changed(RepoTags=["A b"])), "invalid reference format"),
    }


@pytest.mark.parametrize("case", sorted(_broken()))
def test_a_broken_archive_changes_nothing(docker: Docker, case: str) -> None:
    content, error = _broken()[case]
    before = docker.good("images", "--no-trunc")
    result = docker("load", stdin=content)
    assert (result.out, result.status) == ("", 1)
    assert result.err.startswith(error)
    assert docker.good("images", "--no-trunc") == before


def test_a_blob_with_the_wrong_digest(docker: Docker, other: Docker, tmp_path: Path) -> None:
    """An archive of ours in which one layer was changed."""
    path = tmp_path / "images.tar"
    docker.good("save", "-o", str(path), "two")
    layer = docker.engine.images.find("two").layers[1].digest[7:]
    with tarfile.open(path) as tar:
        members = {
            member.name: bytes(member.size) if layer in member.name else _content(tar, member)
            for member in tar
        }
    assert "does not match its digest" in other("load", stdin=archive(members)).err
    assert other.engine.images.list() == []


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def test_the_real_docker_loads_ours_and_we_load_its(
    docker: Docker, other: Docker, tmp_path: Path, need: Callable[[str], str]
) -> None:
    binary = need("docker")
    name = "images-test/archive:v1"
    docker.good("tag", "two", name)
    identifier = docker.engine.images.find(name).id
    ours, theirs = str(tmp_path / "ours.tar"), str(tmp_path / "theirs.tar")
    docker.good("save", "-o", ours, name)
    try:
        assert real(binary, "load", "-i", ours).out == f"Loaded image: {name}\n"
        # An engine with graph drivers names images by their config, as this one does.
        shown = real(binary, "image", "inspect", "-f", "{{json .RootFS.Layers}}", name).out
        assert json.loads(shown) == list(docker.engine.images.find(name).diff_ids)
        assert real(binary, "save", "-o", theirs, name).status == 0
    finally:
        real(binary, "rmi", name)
    assert other.good("load", "-i", theirs) == f"Loaded image: {name}\n"
    loaded = other.engine.images.find(name)
    assert loaded.id == identifier
    assert loaded.size == docker.engine.images.find(name).size
