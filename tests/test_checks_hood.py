"""The checks of lesson 7, against our registry and one that keeps no list of referrers."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from benches import Bench, unseen
from servers import start_real_registry, start_server

from dockerlab.engine.embedded import Embedded
from dockerlab.errors import EngineError
from dockerlab.image import digest as digests
from dockerlab.image.manifest import Descriptor, Manifest, encode
from dockerlab.image.reference import Reference
from dockerlab.registry import artifact
from dockerlab.registry.client import Registry
from dockerlab.widgets.attaching import attach


@pytest.fixture(params=["dockerlab", "docker-registry"])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, need: Callable[[str], str]
) -> Iterator[Bench]:
    """A bench whose registry has my-image, in its first version."""
    engine = Embedded(tmp_path / "home")
    engine.images.add_sample("my-image", "my-image")
    root = tmp_path / "registry"
    root.mkdir()
    if request.param == "dockerlab":
        running = start_server(root)
    else:
        running = start_real_registry(need("docker-registry"), root)
    with running as server:
        bench = Bench(engine, server.address)
        bench.send("my-image")
        yield bench


def put(registry: Registry, repository: str, content: bytes) -> Descriptor:
    """Put a blob there."""
    blob = Descriptor("application/octet-stream", digests.of(content), len(content))
    registry.upload(repository, blob, lambda: io.BytesIO(content))
    return blob


def copy(bench: Bench, repository: str) -> Manifest:
    """Put my-image's blobs there by hand; its manifest."""
    with Registry(bench.address) as registry:
        manifest = registry.manifest("my-image", "latest")
        for blob in manifest.blobs:
            put(registry, repository, registry.read("my-image", blob))
    return manifest


def name(bench: Bench, repository: str, manifest: Manifest) -> None:
    """Put the manifest there as `latest`."""
    with Registry(bench.address) as registry:
        registry.put_manifest(repository, "latest", manifest)


def strange(bench: Bench, repository: str) -> None:
    """Put an image there whose layer is no layer at all."""
    with Registry(bench.address) as registry:
        config, layer = (put(registry, repository, each) for each in (b"{}", b"no tar"))
        manifest = registry.manifest("my-image", "latest")
        said = {
            "schemaVersion": 2,
            "mediaType": manifest.media_type,
            "config": config.to_json(),
            "layers": [layer.to_json()],
        }
        registry.put_manifest(repository, "latest", Manifest.parse(encode(said)))


def test_rescued(bench: Bench) -> None:
    with Registry(bench.address) as registry:
        first = registry.resolve("my-image", "latest").digest
    bench.renew()
    bench.send("my-image")
    assert bench.check("rescued") == "not-tagged"
    bench.docker("tag my-image @/rescued")
    assert bench.check("rescued") == "not-pushed"
    bench.docker("push @/rescued")
    assert bench.check("rescued") == "new"
    old = f"{bench.address}/my-image@{first}"
    bench.engine.images.tag(old, Reference.parse(f"{bench.address}/rescued"))
    bench.docker("push @/rescued")
    assert bench.check("rescued") == "ok"
    strange(bench, "rescued")
    assert bench.check("rescued") == "different"


def test_by_hand(bench: Bench) -> None:
    assert bench.check("by-hand") == "no-blobs"
    manifest = copy(bench, "by-hand")
    bench.renew()
    bench.send("my-image")
    assert bench.check("by-hand") == "no-manifest"
    name(bench, "by-hand", manifest)
    assert bench.check("by-hand") == "not-run"
    bench.docker("run --rm @/by-hand")
    assert bench.check("by-hand") == "ok"
    strange(bench, "by-hand")
    assert bench.check("by-hand") == "different"


def test_note(bench: Bench) -> None:
    image = f"{bench.address}/my-image"
    assert bench.check("note") == "nothing"
    attach(bench.engine, image, "{}", "application/spdx+json")
    assert bench.check("note") == "only-sbom"
    attach(bench.engine, image, "hello", "text/html")
    assert bench.check("note") == "wrong-kind"
    attach(bench.engine, image, b"hello", "text/plain")
    assert bench.check("note") == "ok"
    bench.renew()
    bench.send("my-image")
    assert bench.check("note") == "nothing"  # it was about the old one


def test_what_is_attached_is_an_artifact_with_a_subject(bench: Bench) -> None:
    image = f"{bench.address}/my-image"
    with Registry(bench.address) as registry:
        before = registry.resolve("my-image", "latest")
        said = repr(attach(bench.engine, f"{image}@{before.digest}", "hello", "text/plain"))
        (found,) = registry.referrers("my-image", before.digest)
        made = registry.manifest("my-image", found.digest)
        assert made.subject == before and made.config == artifact.EMPTY
        assert registry.read("my-image", made.layers[0]) == b"hello"
        assert registry.resolve("my-image", "latest") == before
        tags = sorted(registry.tags("my-image"))
    first, second = said.splitlines()
    assert first == f"text/plain now refers to my-image@sha256:{before.digest[7:19]}…."
    kept = [f"sha256-{before.digest[7:]}"] if "under a tag" in second else []
    assert tags == ["latest", *kept]


@pytest.mark.parametrize("kind", ["", "plain", "text/", "a/b/c", "চিঠি/plain", "text/plain\n", 5])
def test_what_is_attached_has_a_media_type(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is no media type; text/plain is one"):
        attach(Embedded(tmp_path), "localhost:1/x", "hello", kind)


def test_an_empty_registry(tmp_path: Path) -> None:
    engine = Embedded(tmp_path / "home")
    with start_server(tmp_path / "registry") as server:
        bench = Bench(engine, server.address)
        assert bench.check("by-hand") == bench.check("note") == "no-image"
        assert bench.check("rescued") == "not-tagged"


def test_every_text_was_seen_by_these_tests(request: pytest.FixtureRequest) -> None:
    assert unseen(request, "07-under-the-hood") == set()
