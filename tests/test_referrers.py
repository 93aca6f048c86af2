"""What refers to a manifest: asked of registries that keep lists, and of one that does not."""

import io
import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from servers import start_real_registry, start_server
from wires import Asked, Reply, liar

from dockerlab.errors import RegistryError
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, encode
from dockerlab.registry.client import Registry

EMPTY = Descriptor("application/vnd.oci.empty.v1+json", digests.of(b"{}"), 2)
SBOM, SIGNATURE = "application/spdx+json", "application/x-signature"
OK, NOTHING = Reply(200), Reply(404)
_NUMBERS = count()


@pytest.fixture(scope="module", params=["dockerlab", "docker-registry"])
def address(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    need: Callable[[str], str],
) -> Iterator[str]:
    """A registry with the referrers API, and one without."""
    root = tmp_path_factory.mktemp("root")
    if request.param == "dockerlab":
        running = start_server(root)
    else:
        running = start_real_registry(need("docker-registry"), root)
    with running as server:
        yield server.address


@pytest.fixture
def registry(address: str) -> Iterator[Registry]:
    with Registry(address) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """A repository of the test's own."""
    return f"referrers/test-{next(_NUMBERS)}"


def push(registry: Registry, name: str, **more: object) -> Manifest:
    """Push a manifest without content, by its digest."""
    registry.upload(name, EMPTY, lambda: io.BytesIO(b"{}"))
    plain = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": EMPTY.to_json()}
    manifest = Manifest.parse(encode({**plain, "layers": [], **more}))
    registry.put_manifest(name, manifest.digest, manifest)
    return manifest


def about(registry: Registry, name: str, subject: Manifest, kind: str, note: str) -> Manifest:
    """Push what is about another manifest."""
    facts = {"artifactType": kind, "annotations": {"note": note}}
    return push(registry, name, subject=subject.descriptor.to_json(), **facts)


def test_referrers(registry: Registry, name: str) -> None:
    subject = push(registry, name, annotations={"name": name})
    assert registry.referrers(name, subject.digest) == []
    sboms = [about(registry, name, subject, SBOM, note) for note in ("one", "two")]
    signature = about(registry, name, subject, SIGNATURE, "three")
    about(registry, name, subject, SIGNATURE, "three")  # once more
    found = registry.referrers(name, subject.digest)
    assert sorted(item.digest for item in found) == sorted(
        manifest.digest for manifest in [*sboms, signature]
    )
    assert {item.annotations["note"] for item in found} == {"one", "two", "three"}
    assert registry.referrers(name, subject.digest, SIGNATURE) == [signature.referrer]
    assert registry.referrers(name, subject.digest, "x/y") == []
    assert registry.referrers(name, signature.digest) == []


def test_the_type_of_the_config_counts_where_no_other_is_said(
    registry: Registry, name: str
) -> None:
    subject = push(registry, name)
    plain = push(registry, name, subject=subject.descriptor.to_json())
    (found,) = registry.referrers(name, subject.digest)
    assert (found.digest, found.artifact_type) == (plain.digest, EMPTY.media_type)


def test_referrers_come_before_their_subject(registry: Registry, name: str) -> None:
    later = Manifest.parse(encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}))
    signature = about(registry, name, later, SIGNATURE, "early")
    assert registry.referrers(name, later.digest) == [signature.referrer]


def test_the_tag_is_used_only_without_the_api(address: str, registry: Registry, name: str) -> None:
    subject = push(registry, name)
    about(registry, name, subject, SBOM, "x")
    answer = httpx.get(f"http://{address}/v2/{name}/referrers/{subject.digest}")
    tags = list(registry.tags(name)) if answer.status_code == 404 else []
    assert tags == ([subject.digest.replace(":", "-")] if answer.status_code == 404 else [])


def test_the_server_says_what_it_did(tmp_path: Path) -> None:
    with start_server(tmp_path) as server, Registry(server.address) as registry:
        subject = push(registry, "a")
        raw = about(registry, "a", subject, SBOM, "x").raw
        with httpx.Client(base_url=server.url) as http:
            headers = {"Content-Type": OCI_MANIFEST}
            put = http.put("/v2/a/manifests/x", content=raw, headers=headers)
            assert put.headers["OCI-Subject"] == subject.digest
            path = f"/v2/a/referrers/{subject.digest}"
            for kind, count_ in ((SBOM, 1), (SIGNATURE, 0), ("", 0)):
                answer = http.get(path, params={"artifactType": kind})
                assert answer.headers["OCI-Filters-Applied"] == "artifactType"
                assert answer.headers["Content-Type"] == OCI_INDEX
                assert len(answer.json()["manifests"]) == count_
            assert "OCI-Filters-Applied" not in http.get(path).headers


def index(*kinds: str) -> bytes:
    """A list of referrers of these types."""
    items = [{**EMPTY.to_json(), "artifactType": kind} for kind in kinds]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": items}).encode()


def listing(first: Reply, second: Reply = NOTHING) -> Callable[[Asked], Reply]:
    """A registry whose list of referrers has two pages."""

    def script(asked: Asked) -> Reply:
        return (second if "page=2" in asked.path else first) if "referrers" in asked.path else OK

    return script


def test_pages_of_a_registry_that_does_not_filter() -> None:
    first = Reply(200, index(SBOM), {"Link": '<?page=2>; rel="next"'})
    script = listing(first, Reply(200, index(SBOM, SIGNATURE)))
    with liar(script) as server, Registry(server.address) as registry:
        assert len(registry.referrers("a", EMPTY.digest)) == 3
        assert len(registry.referrers("a", EMPTY.digest, SBOM)) == 2


@pytest.mark.parametrize("body", [b"", b"[]", b'{"manifests": 5}', b'{"manifests": [{}]}'])
def test_lists_that_are_none(body: bytes) -> None:
    with liar(listing(Reply(200, body))) as server, Registry(server.address) as registry:
        with pytest.raises(RegistryError) as caught:
            registry.referrers("a", EMPTY.digest)
        assert caught.value.code == "INVALID_ANSWER"
