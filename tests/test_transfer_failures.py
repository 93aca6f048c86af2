"""Transfers that go wrong: complete and verified, or not at all."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from servers import RunningServer, start_real_registry, start_server
from transfers import blobs, image, states
from wires import Asked, Reply, liar

from dockerlab.errors import (
    BlobMissing,
    DigestMismatch,
    DockerlabError,
    LayoutError,
    SizeMismatch,
    Unavailable,
)
from dockerlab.image import digest as digests
from dockerlab.image import sample
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import (
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    encode,
)
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import Step, pull, push

AMD64 = sample.PLATFORMS[0]
MIB = 1024 * 1024
_NUMBERS = count()
NAMED = Entry("kept", Descriptor(OCI_MANIFEST, digests.of(b"kept"), 4))


@pytest.fixture(scope="module", params=["dockerlab", "docker-registry"])
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    need: Callable[[str], str],
) -> Iterator[RunningServer]:
    """A running registry."""
    root = tmp_path_factory.mktemp("root")
    if request.param == "dockerlab":
        running = start_server(root)
    else:
        running = start_real_registry(need("docker-registry"), root)
    with running as started:
        yield started


@pytest.fixture
def registry(server: RunningServer) -> Iterator[Registry]:
    with Registry(server.address) as opened:
        yield opened


@pytest.fixture
def reference(server: RunningServer) -> Reference:
    """A name of the test's own."""
    return Reference.parse(f"{server.address}/transfer/test-{next(_NUMBERS)}:v1")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "source")


def spoil(layout: Layout, digest: str, content: bytes) -> None:
    layout.blob_path(digest).write_bytes(content)


@pytest.mark.parametrize(
    ("content", "error"), [(b"the laye", SizeMismatch), (b"THE LAYER", DigestMismatch)]
)
def test_push_of_a_spoiled_layer(
    layout: Layout,
    registry: Registry,
    reference: Reference,
    content: bytes,
    error: type[Exception],
) -> None:
    top = image(layout, b"the layer")
    layer = layout.manifest(top).layers[0].digest
    spoil(layout, layer, content)
    with pytest.raises(error):
        push(layout, top, registry, reference)
    assert not registry.has_blob(reference.repository, layer)
    with pytest.raises(DockerlabError):
        registry.resolve(reference.repository, "v1")


def test_push_of_what_is_not_all_there(
    layout: Layout, registry: Registry, reference: Reference
) -> None:
    top = sample.build(layout, "my-image")
    child = layout.manifest(top).manifests[1]
    missing = layout.manifest(child).layers[0].digest
    for gone in (missing, child.digest):
        layout.blob_path(gone).unlink()
        with pytest.raises(BlobMissing) as caught:
            push(layout, top, registry, reference)
        assert caught.value.digest == gone
    with pytest.raises(DockerlabError):
        list(registry.tags(reference.repository))


def served(layout: Layout, top: Descriptor, lies: dict[str, bytes]) -> Callable[[Asked], Reply]:
    """A registry that serves `layout`, but has other bytes for some digests."""

    def script(asked: Asked) -> Reply:
        digest = asked.path.rpartition("/")[2]
        if digest == "v1":
            return Reply(200, layout.read(top.digest), {"Content-Type": top.media_type})
        return Reply(200, lies.get(digest) or layout.read(digest))

    return script


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"THE LAYER", DigestMismatch), (b"the laye", SizeMismatch), (b"the layer!", SizeMismatch)],
)
def test_pull_of_wrong_bytes(
    layout: Layout, tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    top = image(layout, b"the layer")
    layer = layout.manifest(top).layers[0].digest
    back = Layout(tmp_path / "back")
    back.update(lambda _: [NAMED])
    with (
        liar(served(layout, top, {layer: content})) as server,
        Registry(server.address) as registry,
        pytest.raises(error),
    ):
        pull(back, registry, Reference.parse(f"{server.address}/a:v1"), platform=None)
    assert blobs(back) <= {blob.digest for blob in layout.manifest(top).blobs} - {layer}
    assert list((back.path / ".partial").iterdir()) == []
    assert back.entries() == (NAMED,)


@pytest.mark.parametrize("change", [bytes.upper, lambda raw: raw + b" "])
def test_pull_of_an_index_with_a_wrong_child(
    layout: Layout, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    top = sample.build(layout, "my-image")
    child = layout.manifest(top).manifests[0].digest
    back = Layout(tmp_path / "back")
    with (
        liar(served(layout, top, {child: change(layout.read(child))})) as server,
        Registry(server.address) as registry,
        pytest.raises(DigestMismatch),
    ):
        pull(back, registry, Reference.parse(f"{server.address}/a:v1"), platform=AMD64)
    assert blobs(back) == set()


def test_pull_of_an_index_that_states_a_wrong_size(layout: Layout, tmp_path: Path) -> None:
    child = image(layout, b"the layer")
    wrong = child.to_json() | {"size": child.size + 1}
    top = layout.add(encode({"mediaType": OCI_INDEX, "manifests": [wrong]}), OCI_INDEX)
    with (
        liar(served(layout, top, {})) as server,
        Registry(server.address) as registry,
        pytest.raises(SizeMismatch),
    ):
        reference = Reference.parse(f"{server.address}/a:v1")
        pull(Layout(tmp_path / "back"), registry, reference, platform=None)


def test_registry_that_dies_during_a_push(
    layout: Layout, tmp_path: Path, need: Callable[[str], str]
) -> None:
    binary = need("docker-registry")
    top = image(layout, *(os.urandom(4 * MIB) for _ in range(6)))
    done: list[str] = []
    cut: list[str] = []
    with start_real_registry(binary, tmp_path / "root") as server:

        def kill(step: Step) -> None:
            if step.state == "done":
                done.append(step.digest)
            elif done and not cut and step.current:
                cut.append(step.digest)
                server.process.kill()

        with Registry(server.address) as registry, pytest.raises(Unavailable) as caught:
            name = Reference.parse(f"{server.address}/a:v1")
            push(layout, top, registry, name, on_step=kill)
        refused = f"dial tcp {server.address}: connect: connection refused"
        broken = {"EOF", "unexpected EOF", "read: connection reset by peer", "write: broken pipe"}
        assert caught.value.detail in {refused, *broken}  # what another blob was at just then
        assert caught.value.detail in str(caught.value)
    steps: list[Step] = []
    with (
        start_real_registry(binary, tmp_path / "root") as server,
        Registry(server.address) as registry,
    ):
        again = Reference.parse(f"{server.address}/a:v1")
        push(layout, top, registry, again, on_step=steps.append)
        assert states(steps)[done[0]] == ["waiting", "exists"]
        assert states(steps)[cut[0]] == ["waiting", "uploading", "done"]
        back = Layout(tmp_path / "back")
        assert pull(back, registry, again, platform=None) == (top, top)
        assert blobs(back) == blobs(layout)


PULL = """
import os, signal, sys
from pathlib import Path
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import pull

def die(step):
    if step.state == "downloading" and step.current > 500_000:
        os.kill(os.getpid(), signal.SIGKILL)

path, name, *dies = sys.argv[1:]
reference = Reference.parse(name)
with Registry(reference.registry) as registry:
    options = {"on_step": die} if dies else {}
    pull(Layout(Path(path)), registry, reference, platform=None, **options)
"""


def test_two_processes_pull_the_same_at_once(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    push(layout, image(layout, os.urandom(4 * MIB), os.urandom(MIB)), registry, reference)
    command = [sys.executable, "-c", PULL, str(tmp_path / "back"), str(reference)]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert blobs(Layout(tmp_path / "back")) == blobs(layout)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs Unix signals")
def test_killed_pull_leaves_nothing_under_a_final_name(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    top = push(layout, image(layout, os.urandom(4 * MIB)), registry, reference)
    back = Layout(tmp_path / "back")
    back.update(lambda _: [NAMED])
    command = [sys.executable, "-c", PULL, str(back.path), str(reference), "dies"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert list((back.path / ".partial").iterdir()) != []
    assert blobs(back) <= {blob.digest for blob in layout.manifest(top).blobs}  # all verified
    assert back.entries() == (NAMED,)
    pull(back, registry, reference, platform=None)
    assert blobs(back) == blobs(layout)


def test_full_disk(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    if not shutil.which("mount") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    push(layout, image(layout, os.urandom(2 * MIB)), registry, reference)
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        back = Layout(small)
        back.update(lambda _: [NAMED])
        with pytest.raises(LayoutError, match="no space left on device"):
            pull(back, registry, reference, platform=None)
        assert back.entries() == (NAMED,)
        assert list((back.path / ".partial").iterdir()) == []
        blobs(back)
    finally:
        subprocess.run(["umount", str(small)], check=True)
