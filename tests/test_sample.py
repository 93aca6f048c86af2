"""The course's own images: the same bytes everywhere, and programs that really run."""

import gzip
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab.image import digest as digests
from dockerlab.image import layer, sample
from dockerlab.image.layout import Layout
from dockerlab.image.manifest import OCI_LAYER_GZIP, Descriptor, Manifest
from dockerlab.image.program import program

DIGESTS = {
    "my-image": "sha256:45cb094fa37aa1f053b19bfc5c8ef90494b43d6796cdf5c642da5dbea675d085",
    "hello-registry": "sha256:08ce89f3b4bcedd45698190bc9b6f57b7e03d7e6a0b7abcf85d66bddc3cce2e9",
    "internal-app": "sha256:bb812aec730771e43624dc9c795aba9470636d2d2a9596d576d7468d3c895371",
    "hello-world": "sha256:75bb7bee07d165d8b1b67f82bec9f8f54496f6fc891b0051c84230fd82e4c1ca",
    "alpine": "sha256:5abf6bb59492ba8fac0370dd4dfe99f7bf470a76b2581fdfc0d40d54f8ccc9eb",
    "nginx": "sha256:6c4dbb8f40fd9eb02584076e1a5afcfcf857becac045c79b66b73f4d25badea3",
    "registry": "sha256:d5aaadf7a39cc395dfd50614396d40671ceb84d0bb70452afb828fa4e9d60bb1",
}
AMD64 = sys.platform == "linux" and platform.machine() == "x86_64"


def image(layout: Layout, index: Descriptor, architecture: str) -> Manifest:
    """The image of an index for one architecture."""
    found = layout.manifest(index).manifests
    return layout.manifest(
        next(one for one in found if one.platform and one.platform.architecture == architecture)
    )


def config(layout: Layout, manifest: Manifest) -> dict[str, object]:
    assert manifest.config
    found: dict[str, object] = json.loads(layout.read(manifest.config.digest))
    return found


def unpack(layout: Layout, manifest: Manifest, root: Path) -> Path:
    """A folder with the files of all layers."""
    for one in manifest.layers:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layout.read(one.digest)))) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(root)
    return root


@pytest.mark.parametrize("name", sample.NAMES)
def test_digests_never_change(tmp_path: Path, name: str) -> None:
    assert sample.build(Layout(tmp_path), name).digest == DIGESTS[name]


def test_every_platform_has_a_whole_image(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for name in sample.NAMES:
        index = layout.manifest(sample.build(layout, name))
        assert tuple(entry.platform for entry in index.manifests) == sample.PLATFORMS
        for entry in index.manifests:
            manifest = layout.manifest(entry)
            assert all(map(layout.has, manifest.blobs))
            assert len(manifest.layers) == 3
            assert {one.media_type for one in manifest.layers} == {OCI_LAYER_GZIP}


def test_config_says_what_the_image_is(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for name in sample.NAMES:
        for entry in layout.manifest(sample.build(layout, name)).manifests:
            manifest = layout.manifest(entry)
            said = config(layout, manifest)
            assert entry.platform
            assert (said["os"], said["architecture"]) == ("linux", entry.platform.architecture)
            assert said["config"]["Labels"]["dockerlab.sample"] == name
            own = "dockerlab.stand-in" not in said["config"]["Labels"]
            assert own == (name in {"my-image", "hello-registry", "internal-app"})
            unpacked = [gzip.decompress(layout.read(one.digest)) for one in manifest.layers]
            assert said["rootfs"] == {"type": "layers", "diff_ids": list(map(digests.of, unpacked))}
            steps = [step for step in said["history"] if not step.get("empty_layer")]
            assert len(steps) == len(manifest.layers)


def test_registry_is_started_as_the_real_one_is(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    said = config(layout, image(layout, sample.build(layout, "registry"), "amd64"))["config"]
    assert said["Entrypoint"] == ["/entrypoint.sh"]
    assert said["Cmd"] == ["/etc/docker/registry/config.yml"]
    assert said["ExposedPorts"] == {"5000/tcp": {}}
    assert said["Volumes"] == {"/var/lib/registry": {}}
    assert said["Env"][0].startswith("PATH=")


def test_further_version_shares_all_layers_but_the_greeting(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    one, two = (image(layout, sample.build(layout, "my-image", n), "amd64") for n in (1, 2))
    assert one.layers[:2] == two.layers[:2]
    assert one.layers[2] != two.layers[2]
    assert one.digest != two.digest


def test_images_share_the_layer_below(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    lowest = {
        image(layout, sample.build(layout, name), architecture).layers[0]
        for name in sample.NAMES
        for architecture in ("amd64", "arm64")
    }
    assert len(lowest) == 1


def test_an_image_is_a_few_kilobytes(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for name in sample.NAMES:
        blobs = image(layout, sample.build(layout, name), "amd64").blobs
        assert sum(blob.size for blob in blobs) < 4000


@pytest.mark.parametrize("name", sample.NAMES)
def test_greeting_is_in_both_languages_and_names_the_image(name: str) -> None:
    bangla, _, english = sample.greeting(name, 2).partition("\n\n")
    assert name in bangla and name in english
    assert "ভার্সন ২" in bangla
    assert "version 2" in english
    assert len(sample.greeting(name).encode()) < 4096


@given(st.binary(max_size=2000) | st.integers(0, 2000).map(bytes))
def test_gzip_is_gzip(content: bytes) -> None:
    packed = layer.gzip(content)
    assert gzip.decompress(packed) == content
    assert layer.gzip(content) == packed


def test_gzip_makes_a_tar_small() -> None:
    tar = layer.tar("a/b/c", b"text")
    assert len(layer.gzip(tar)) < len(tar) / 10


def test_tar_has_a_files_folders_too() -> None:
    with tarfile.open(fileobj=io.BytesIO(layer.tar("a/b/c", b"text", 0o755))) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == ["a", "a/b", "a/b/c"]
    assert [member.isdir() for member in members] == [True, True, False]
    assert [member.mode for member in members] == [0o755, 0o755, 0o755]
    assert {(member.mtime, member.uid, member.uname) for member in members} == {
        (layer.MODIFIED, 0, "")
    }


def test_hub(tmp_path: Path) -> None:
    layout = sample.hub(tmp_path)
    assert {entry.name for entry in layout.entries()} == {
        f"docker.io/{repository}:{tag}" for repository, tags in sample.HUB.items() for tag in tags
    }
    assert layout.resolve("docker.io/library/registry:2") != layout.resolve(
        "docker.io/library/registry:latest"
    )


def test_hub_is_built_once_and_mended_when_it_is_out_of_date(tmp_path: Path) -> None:
    entries = sample.hub(tmp_path).entries()
    written = (tmp_path / "index.json").stat().st_ino
    layout = sample.hub(tmp_path)
    assert (tmp_path / "index.json").stat().st_ino == written
    layout.update(lambda before: before[1:])
    assert sample.hub(tmp_path).entries() == entries


@pytest.mark.skipif(not AMD64, reason="runs on amd64 Linux")
def test_program_on_amd64(tmp_path: Path) -> None:
    assert run(tmp_path, "amd64") == (0, sample.greeting("my-image").encode())
    (tmp_path / "greeting").write_bytes(b"x" * 10_000)
    assert chroot(tmp_path, "/hello") == (0, b"x" * 10_000)
    (tmp_path / "greeting").unlink()
    assert chroot(tmp_path, "/hello") == (2, b"")  # ENOENT


def test_program_on_arm64(tmp_path: Path, need: Callable[[str], str]) -> None:
    emulator = shutil.copy(need("qemu-aarch64-static"), tmp_path)
    name = f"/{Path(emulator).name}"
    assert run(tmp_path, "arm64", name) == (0, sample.greeting("my-image").encode())
    (tmp_path / "greeting").write_bytes(b"x" * 10_000)
    assert chroot(tmp_path, name, "/hello") == (0, b"x" * 10_000)
    (tmp_path / "greeting").unlink()
    assert chroot(tmp_path, name, "/hello") == (2, b"")


def run(root: Path, architecture: str, *emulator: str) -> tuple[int, bytes]:
    """Exit status and output of my-image, unpacked into `root` and run there."""
    layout = Layout(root / "layout")
    index = sample.build(layout, "my-image")
    unpack(layout, image(layout, index, architecture), root)
    return chroot(root, *emulator, "/hello")


def chroot(root: Path, *command: str) -> tuple[int, bytes]:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("chroot"):
        pytest.skip("only root can chroot")
    done = subprocess.run(["chroot", str(root), *command], capture_output=True, check=False)
    return done.returncode, done.stdout


def test_program_is_tiny() -> None:
    assert all(len(program(one)) < 300 for one in ("amd64", "arm64"))


@pytest.mark.parametrize("name", sample.NAMES)
def test_docker_runs_it(tmp_path: Path, need: Callable[[str], str], name: str) -> None:
    docker = need("docker")
    tag = f"dockerlab-test-{os.getpid()}-{name}"
    layout = Layout(tmp_path / "layout")
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    archive = save(layout, image(layout, sample.build(layout, name), architecture), tag)
    subprocess.run([docker, "load"], input=archive, check=True, capture_output=True)
    try:
        command = [docker, "run", "--rm", "--network", "none", tag]
        done = subprocess.run(command, capture_output=True, check=False)
    finally:
        subprocess.run([docker, "rmi", tag], check=True, capture_output=True)
    assert (done.returncode, done.stdout.decode()) == (0, sample.greeting(name))


def save(layout: Layout, manifest: Manifest, tag: str) -> bytes:
    """An image as `docker save` writes it."""
    assert manifest.config
    contents = {"config.json": layout.read(manifest.config.digest)}
    for number, one in enumerate(manifest.layers):
        contents[f"{number}.tar"] = gzip.decompress(layout.read(one.digest))
    listed = {"Config": "config.json", "RepoTags": [f"{tag}:latest"], "Layers": list(contents)[1:]}
    contents["manifest.json"] = json.dumps([listed]).encode()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()
