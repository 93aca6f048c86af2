"""The client against real registries: dockerlab's own and the distribution project's."""

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from servers import start_real_registry, start_server
from wires import Asked, Reply, liar

from dockerlab.errors import NotFound, RegistryError, SizeMismatch, Unauthorized
from dockerlab.image import digest as digests
from dockerlab.image.manifest import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    SIZE_LIMIT,
    Descriptor,
    Manifest,
    encode,
)
from dockerlab.registry.client import Exchange, Registry

CONTENT = bytes(range(256)) * 20
BLOB = Descriptor(OCI_LAYER, digests.of(CONTENT), len(CONTENT))
_NUMBERS = count()


@pytest.fixture(scope="module", params=["dockerlab", "docker-registry"])
def address(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    need: Callable[[str], str],
) -> Iterator[str]:
    """A running registry."""
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
    return f"client/test-{next(_NUMBERS)}"


def upload(registry: Registry, name: str, content: bytes = CONTENT) -> Descriptor:
    blob = Descriptor(OCI_LAYER, digests.of(content), len(content))
    registry.upload(name, blob, lambda: io.BytesIO(content))
    return blob


def image(registry: Registry, name: str, tag: str, *layers: bytes) -> Manifest:
    """Push an image of these layers."""
    blobs = [upload(registry, name, layer).to_json() for layer in layers]
    config = upload(registry, name, b"{}").to_json() | {"mediaType": OCI_CONFIG}
    data = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": blobs}
    manifest = Manifest.parse(encode(data))
    registry.put_manifest(name, tag, manifest)
    return manifest


def test_ping(registry: Registry) -> None:
    registry.ping()


@pytest.mark.parametrize("content", [b"", b"1", b"12", CONTENT, bytes(3_000_000)])
def test_upload_and_read(registry: Registry, name: str, content: bytes) -> None:
    blob = upload(registry, name, content)
    assert registry.has_blob(name, blob.digest)
    assert registry.read(name, blob) == content


def test_upload_tells_how_far_it_is(registry: Registry, name: str) -> None:
    content, told = bytes(2_000_000), []
    blob = Descriptor(OCI_LAYER, digests.of(content), len(content))
    registry.upload(name, blob, lambda: io.BytesIO(content), told.append)
    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1] == len(content)


def test_blob_from_the_middle(registry: Registry, name: str) -> None:
    upload(registry, name)
    assert b"".join(registry.blob(name, BLOB, 1000)) == CONTENT[1000:]
    assert b"".join(registry.blob(name, BLOB, len(CONTENT))) == b""


def test_read_is_for_small_blobs(registry: Registry, name: str) -> None:
    with pytest.raises(SizeMismatch):
        registry.read(name, Descriptor(OCI_LAYER, BLOB.digest, SIZE_LIMIT + 1))


def test_blob_missing(registry: Registry, name: str) -> None:
    assert not registry.has_blob(name, BLOB.digest)
    with pytest.raises(NotFound) as caught:
        registry.read(name, BLOB)
    assert (caught.value.status, caught.value.code) == (404, "BLOB_UNKNOWN")


def test_manifest_by_tag_and_by_digest(registry: Registry, name: str) -> None:
    pushed = image(registry, name, "v1", CONTENT)
    assert registry.manifest(name, "v1") == pushed
    assert registry.manifest(name, pushed.digest) == pushed
    assert registry.resolve(name, "v1") == pushed.descriptor


@pytest.mark.parametrize("reference", ["nope", digests.of(b"nope")])
def test_manifest_missing(registry: Registry, name: str, reference: str) -> None:
    image(registry, name, "v1")
    for ask in (registry.manifest, registry.resolve):
        with pytest.raises(NotFound) as caught:
            ask(name, reference)
        assert (caught.value.code, caught.value.detail) == ("MANIFEST_UNKNOWN", "manifest unknown")


def test_manifest_needs_its_blobs(registry: Registry, name: str) -> None:
    data = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": BLOB.to_json(), "layers": []}
    with pytest.raises(RegistryError) as caught:
        registry.put_manifest(name, "v1", Manifest.parse(encode(data)))
    assert caught.value.code == "MANIFEST_BLOB_UNKNOWN"
    assert BLOB.digest in str(caught.value.facts)


def test_tags_and_catalogue(registry: Registry, name: str) -> None:
    for tag in ("one", "two", "three"):
        image(registry, name, tag)
    assert sorted(registry.tags(name)) == ["one", "three", "two"]
    assert name in registry.catalog()
    with pytest.raises(NotFound) as caught:
        list(registry.tags("client/nothing-here"))
    assert caught.value.code == "NAME_UNKNOWN"


def test_catalogue_is_read_page_by_page_as_needed(address: str) -> None:
    seen: list[Exchange] = []
    with Registry(address, observe=seen.append) as registry:
        for number in range(5):
            image(registry, f"pages/{number}", "v1")
        everything = list(registry.catalog())
        seen.clear()
        assert list(registry.catalog(page=2)) == everything
        assert len(seen) >= len(everything) / 2
        seen.clear()
        assert list(islice(registry.catalog(page=2), 2)) == everything[:2]
        assert len(seen) == 1


def test_mount(registry: Registry, name: str) -> None:
    upload(registry, f"{name}/source")
    assert registry.mount(name, BLOB.digest, f"{name}/source")
    assert registry.read(name, BLOB) == CONTENT


def test_mount_of_what_is_not_there(registry: Registry, name: str) -> None:
    assert not registry.mount(name, BLOB.digest, f"{name}/source")
    assert not registry.has_blob(name, BLOB.digest)


def test_delete(registry: Registry, name: str) -> None:
    manifest = image(registry, name, "v1", CONTENT)
    registry.delete(name, manifest.digest)
    with pytest.raises(NotFound):
        registry.resolve(name, "v1")
    registry.delete_blob(name, BLOB.digest)
    assert not registry.has_blob(name, BLOB.digest)
    with pytest.raises(NotFound):
        registry.delete_blob(name, BLOB.digest)


def test_every_exchange_is_told(address: str, name: str) -> None:
    seen: list[Exchange] = []
    with Registry(address, observe=seen.append) as registry:
        upload(registry, name)
        registry.read(name, BLOB)
    assert [(one.method, one.status) for one in seen] == [
        ("GET", 200),  # /v2/, to find out how it speaks
        ("POST", 202),
        ("PATCH", 202),
        ("PUT", 201),
        ("GET", 200),
    ]
    assert [one.sent for one in seen] == [0, 0, len(CONTENT), 0, 0]
    assert seen[-1].received == len(CONTENT)
    assert seen[-1].path == f"/v2/{name}/blobs/{BLOB.digest}"
    assert all(one.milliseconds > 0 for one in seen)


def test_login_goes_along() -> None:
    def script(asked: Asked) -> Reply:
        if asked.headers.get("authorization") == "Basic bWU6c2VjcmV0":
            return Reply(200, b'{"repositories": ["mine"]}')
        return Reply(401, headers={"WWW-Authenticate": 'Basic realm="Registry"'})

    with liar(script) as server:
        with Registry(server.address, username="me", password="secret") as registry:
            assert list(registry.catalog()) == ["mine"]
        with Registry(server.address) as registry, pytest.raises(Unauthorized) as caught:
            list(registry.catalog())
    assert caught.value.challenge == 'Basic realm="Registry"'
    assert (caught.value.code, caught.value.detail) == ("UNAUTHORIZED", "authentication required")


def test_login_stays_at_home_when_a_blob_lies_elsewhere() -> None:
    with liar({BLOB.digest: Reply(200, CONTENT)}) as storage:

        def script(asked: Asked) -> Reply:
            if "authorization" not in asked.headers:
                return Reply(401, headers={"WWW-Authenticate": 'Basic realm="Registry"'})
            return Reply(307, headers={"Location": f"http://{storage.address}{asked.path}"})

        with (
            liar(script) as server,
            Registry(server.address, username="me", password="secret") as registry,
        ):
            assert registry.read("a", BLOB) == CONTENT
    assert "authorization" in server.asked[-1].headers
    assert [asked.method for asked in storage.asked] == ["GET"]
    assert "authorization" not in storage.asked[0].headers


def test_login_stays_at_home_when_an_upload_goes_elsewhere() -> None:
    def storing(asked: Asked) -> Reply:
        return Reply(202 if asked.method == "PATCH" else 201, headers={"Location": "/end"})

    with liar(storing) as storage:
        begun = Reply(202, headers={"Location": f"http://{storage.address}/begin?state=a%3D"})
        with (
            liar({"/blobs/uploads/": begun}) as server,
            Registry(server.address, username="me", password="secret") as registry,
        ):
            upload(registry, "a")
    assert [(asked.method, asked.path) for asked in storage.asked] == [
        ("PATCH", "/begin?state=a%3D"),
        ("PUT", f"/end?digest={BLOB.digest.replace(':', '%3A')}"),
    ]
    assert not any("authorization" in asked.headers for asked in storage.asked)
    assert storage.asked[0].body == CONTENT


@pytest.fixture(scope="module")
def certificate(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]
) -> tuple[Path, Path]:
    """A certificate that nobody trusts, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "certificate.pem", folder / "key.pem"
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    output = ["-out", str(files[0]), "-keyout", str(files[1])]
    command = [need("openssl"), "req", *options, *names, *output]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_https_on_this_machine(
    certificate: tuple[Path, Path], tmp_path: Path, need: Callable[[str], str]
) -> None:
    tls = dict(zip(("CERTIFICATE", "KEY"), map(str, certificate), strict=True))
    env = {f"REGISTRY_HTTP_TLS_{name}": path for name, path in tls.items()}
    seen: list[Exchange] = []
    with (
        start_real_registry(need("docker-registry"), tmp_path, env=env) as server,
        Registry(server.address, observe=seen.append) as registry,
    ):
        upload(registry, "a")
        assert registry.read("a", BLOB) == CONTENT
    assert [one.status for one in seen[:2]] == [400, 200]


def test_skopeo_and_the_client_understand_each_other(
    registry: Registry, name: str, tmp_path: Path, need: Callable[[str], str]
) -> None:
    pushed = image(registry, name, "v1", CONTENT)
    skopeo = [need("skopeo"), "copy", "--preserve-digests"]
    skopeo += ["--src-tls-verify=false", "--dest-tls-verify=false"]
    source, target = (f"docker://{registry.host}/{name}:{tag}" for tag in ("v1", "v2"))
    subprocess.run([*skopeo, source, f"dir:{tmp_path}"], check=True, capture_output=True)
    subprocess.run([*skopeo, f"dir:{tmp_path}", target], check=True, capture_output=True)
    assert registry.manifest(name, "v2") == pushed
    shutil.rmtree(tmp_path)
