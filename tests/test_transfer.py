"""Whole images between layouts and registries: there and back, step by step."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from servers import RunningServer, start_real_registry, start_server
from transfers import blobs, image, states

from dockerlab.errors import (
    DockerlabError,
    NoPlatform,
)
from dockerlab.image import digest as digests
from dockerlab.image import sample
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    Platform,
    encode,
)
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Exchange, Registry
from dockerlab.registry.transfer import Step, choose, pull, push

ARM64 = sample.PLATFORMS[1]
MIB = 1024 * 1024
_NUMBERS = count()


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


@pytest.mark.parametrize("name", sample.NAMES)
def test_there_and_back(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path, name: str
) -> None:
    index = sample.build(layout, name)
    assert push(layout, index, registry, reference) == index
    back = Layout(tmp_path / "back")
    assert pull(back, registry, reference, platform=None) == (index, index)
    assert blobs(back) == blobs(layout)
    assert back.entries() == ()


@pytest.mark.parametrize("platform", sample.PLATFORMS)
def test_pull_for_one_platform(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path, platform: Platform
) -> None:
    index = sample.build(layout, "my-image")
    push(layout, index, registry, reference)
    back = Layout(tmp_path / "back")
    top, found = pull(back, registry, reference, platform=platform)
    assert top == index
    manifest = back.manifest(found)
    assert manifest.config
    assert json.loads(back.read(manifest.config.digest))["architecture"] == platform.architecture
    assert blobs(back) == {found.digest, *(blob.digest for blob in manifest.blobs)}


def test_pull_of_an_image_without_an_index(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    pushed = push(layout, image(layout, b"one", b"two"), registry, reference)
    assert pull(Layout(tmp_path / "a"), registry, reference, platform=ARM64) == (pushed, pushed)
    by_digest = reference.with_digest(pushed.digest)
    assert pull(Layout(tmp_path / "b"), registry, by_digest, platform=None) == (pushed, pushed)


def test_pull_for_a_platform_that_is_missing(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    push(layout, sample.build(layout, "my-image"), registry, reference)
    back = Layout(tmp_path / "back")
    with pytest.raises(NoPlatform) as caught:
        pull(back, registry, reference, platform=Platform("linux", "s390x"))
    assert (
        caught.value.detail == "no matching manifest for linux/s390x in the manifest list entries"
    )
    assert caught.value.detail in str(caught.value)
    assert blobs(back) == set()


def index_for(*platforms: Platform | None) -> Manifest:
    entries = tuple(
        Descriptor(OCI_MANIFEST, digests.of(str(number).encode()), 1, platform)
        for number, platform in enumerate(platforms)
    )
    return Manifest(b"", OCI_INDEX, manifests=entries)


@pytest.mark.parametrize(
    ("wanted", "offered", "position"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], 1),
        ("linux/arm64", ["linux/arm64/v8"], 0),
        ("linux/arm64/v8", ["linux/amd64", "linux/arm64"], 1),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], 2),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], 1),
        ("linux/arm/v6", ["linux/arm/v7", "linux/arm/v5"], 1),
        ("linux/arm", ["linux/arm/v6", "linux/arm/v7"], 1),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v3"], 1),
        ("linux/amd64/v3", ["linux/amd64"], 0),
        ("windows/amd64", ["linux/amd64", "windows/amd64"], 1),
        ("linux/s390x", ["", "linux/s390x"], 1),
        ("linux/amd64", ["linux/amd64/v3"], None),
        ("linux/arm/v5", ["linux/arm/v6"], None),
        ("linux/amd64", ["unknown/unknown", ""], None),
        ("linux/amd64", [], None),
    ],
)
def test_choice_of_a_platform(wanted: str, offered: list[str], position: int | None) -> None:
    index = index_for(*(Platform(*text.split("/")) if text else None for text in offered))
    if position is None:
        with pytest.raises(NoPlatform):
            choose(index, Platform(*wanted.split("/")))
    else:
        assert choose(index, Platform(*wanted.split("/"))) == index.manifests[position]


def test_steps_of_a_push(layout: Layout, registry: Registry, reference: Reference) -> None:
    top = image(layout, b"1" * MIB, b"2" * MIB)
    everything = [blob.digest for blob in layout.manifest(top).blobs]
    steps: list[Step] = []
    push(layout, top, registry, reference, on_step=steps.append)
    assert [step.digest for step in steps[:3]] == everything
    assert states(steps) == dict.fromkeys(everything, ["waiting", "uploading", "done"])
    assert all(0 <= step.current <= step.total for step in steps)
    steps.clear()
    push(layout, top, registry, reference, on_step=steps.append)
    assert states(steps) == dict.fromkeys(everything, ["waiting", "exists"])


def test_steps_of_a_pull(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    top = push(layout, image(layout, b"1" * MIB, b"2" * MIB), registry, reference)
    everything = [blob.digest for blob in layout.manifest(top).blobs]
    back, steps = Layout(tmp_path / "back"), []
    pull(back, registry, reference, platform=None, on_step=steps.append)
    assert states(steps) == dict.fromkeys(everything, ["waiting", "downloading", "done"])
    steps.clear()
    pull(back, registry, reference, platform=None, on_step=steps.append)
    assert states(steps) == dict.fromkeys(everything, ["waiting", "exists"])


def test_one_step_at_a_time(layout: Layout, registry: Registry, reference: Reference) -> None:
    busy, together = threading.Lock(), []

    def listen(step: Step) -> None:
        if not busy.acquire(blocking=False):
            together.append(step)
            return
        Path(layout.path / "index.json").read_bytes()  # something during which threads change
        busy.release()

    top = image(layout, *(bytes([number]) * MIB for number in range(6)))
    push(layout, top, registry, reference, on_step=listen)
    assert together == []


def test_layers_are_mounted(layout: Layout, server: RunningServer, reference: Reference) -> None:
    top = image(layout, b"shared layer" * 1000)
    layer = layout.manifest(top).layers[0].digest
    other = Reference.parse(f"{reference.locator}-other:v1")
    seen: list[Exchange] = []
    steps: list[Step] = []
    with Registry(server.address, observe=seen.append) as registry:
        push(layout, top, registry, reference)
        seen.clear()
        sources = {layer: [other.repository, "no/such", reference.repository]}
        push(layout, top, registry, other, sources=sources, on_step=steps.append)
    mounted = [step for step in steps if step.digest == layer]
    assert [step.state for step in mounted] == ["waiting", "mounted"]
    assert mounted[-1].source == reference.repository
    assert sum(one.sent for one in seen) < 1000


def test_a_listener_may_stop_it(
    layout: Layout, registry: Registry, reference: Reference, tmp_path: Path
) -> None:
    class Stop(Exception):
        pass

    def stop(step: Step) -> None:
        if step.state in ("uploading", "downloading") and step.current:
            raise Stop

    top = image(layout, b"1" * MIB, b"2" * MIB)
    with pytest.raises(Stop):
        push(layout, top, registry, reference, on_step=stop)
    with pytest.raises(DockerlabError):
        registry.resolve(reference.repository, "v1")
    push(layout, top, registry, reference)
    back = Layout(tmp_path / "back")
    with pytest.raises(Stop):
        pull(back, registry, reference, platform=None, on_step=stop)
    assert top.digest not in blobs(back)
    assert list((back.path / ".partial").iterdir()) == []


MEASURE = """
import sys
from pathlib import Path
from dockerlab.image.layout import Layout
from dockerlab.image.reference import Reference
from dockerlab.registry.client import Registry
from dockerlab.registry.transfer import pull, push

source, name, back = sys.argv[1:]
reference, layout = Reference.parse(name), Layout(Path(source))
with Registry(reference.registry) as registry:
    push(layout, layout.entries()[0].descriptor, registry, reference)
    pull(Layout(Path(back)), registry, reference, platform=None)
# Unlike ru_maxrss, this begins anew when a process starts a program.
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_memory_stays_flat(
    layout: Layout, server: RunningServer, reference: Reference, tmp_path: Path
) -> None:
    size = 256 * MIB
    zeros = digests.Verifier(digests.of(b""))
    for _ in range(256):
        zeros.update(bytes(MIB))
    large = Descriptor(OCI_LAYER, zeros.digest, size)
    with layout.writer(large) as writer:
        for _ in range(256):
            writer.write(bytes(MIB))
    config = layout.add(b"{}", OCI_CONFIG).to_json()
    data = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config}
    data["layers"] = [large.to_json()]
    top = layout.add(encode(data), OCI_MANIFEST)
    layout.update(lambda _: [Entry("large", top)])
    command = [sys.executable, "-c", MEASURE, str(layout.path), str(reference)]
    done = subprocess.run([*command, str(tmp_path / "back")], capture_output=True, check=True)
    assert Layout(tmp_path / "back").has(large)
    assert int(done.stdout) / 1024 < 100  # KiB, in MiB
    shutil.rmtree(tmp_path)
