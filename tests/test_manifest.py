"""Manifests, indexes, descriptors and digests: read strictly, written back as they were."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab.errors import DigestMismatch, InvalidDigest, InvalidManifest
from dockerlab.image import digest as digests
from dockerlab.image.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEXES,
    MANIFESTS,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    Platform,
    encode,
)

EMPTY = Descriptor(OCI_CONFIG, digests.of(b""), 0)
NAMES = st.text(min_size=1, max_size=20)
PLATFORMS = st.builds(Platform, NAMES, NAMES, st.just("") | NAMES)
DIGESTS = st.builds(digests.of, st.binary(max_size=8), st.sampled_from(sorted(digests.SIZES)))
DESCRIPTORS = st.builds(
    Descriptor,
    NAMES,
    DIGESTS,
    st.integers(0, 2**63),
    st.none() | PLATFORMS,
    st.dictionaries(NAMES, st.text(max_size=20), max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "mediaType",
                    "config",
                    "layers",
                    "manifests",
                    "digest",
                    "size",
                    "platform",
                    "subject",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def image(**changes: Any) -> bytes:
    """An image manifest with some fields changed; None drops one."""
    plain = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": EMPTY.to_json(), "layers": []}
    return encode({key: value for key, value in (plain | changes).items() if value is not None})


@given(DESCRIPTORS)
def test_descriptor_round_trip(descriptor: Descriptor) -> None:
    assert Descriptor.from_json(json.loads(encode(descriptor.to_json()))) == descriptor


@given(st.sampled_from(MANIFESTS), DESCRIPTORS, st.lists(DESCRIPTORS, max_size=4))
def test_image_round_trip(kind: str, config: Descriptor, layers: list[Descriptor]) -> None:
    raw = encode(
        {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
    )
    manifest = Manifest.parse(raw)
    assert (manifest.media_type, manifest.config, manifest.layers) == (kind, config, tuple(layers))
    assert manifest.blobs == (config, *layers)
    assert not manifest.is_index
    assert manifest.descriptor == Descriptor(kind, digests.of(raw), len(raw))


@given(st.sampled_from(INDEXES), st.lists(DESCRIPTORS, max_size=4))
def test_index_round_trip(kind: str, children: list[Descriptor]) -> None:
    data = {"mediaType": kind, "manifests": [child.to_json() for child in children]}
    manifest = Manifest.parse(encode(data))
    assert manifest.is_index
    assert manifest.manifests == tuple(children)
    assert manifest.blobs == ()


@given(JSON)
def test_any_json_is_a_manifest_or_an_invalid_one(data: object) -> None:
    raw = json.dumps(data).encode()
    try:
        manifest = Manifest.parse(raw)
    except InvalidManifest:
        return
    assert manifest.raw == raw


@given(JSON)
def test_any_json_is_a_descriptor_or_an_invalid_one(data: object) -> None:
    try:
        descriptor = Descriptor.from_json(data)
    except InvalidManifest:
        return
    assert Descriptor.from_json(descriptor.to_json()) == descriptor


@given(st.binary(max_size=40))
def test_any_bytes_are_judged(raw: bytes) -> None:
    with pytest.raises(InvalidManifest):
        Manifest.parse(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "it is not JSON"),
        (b"<html></html>", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (image(mediaType="text/plain"), "its type text/plain is unknown"),
        (image(mediaType=["a"]), r"its type \['a'\] is unknown"),
        (image(config=None), "it has no config"),
        (image(layers=None), "it has no list of layers"),
        (image(layers={}), "it has no list of layers"),
        (image(layers=[{}]), "a descriptor is incomplete"),
        (image(layers=["sha256:1"]), "a descriptor is incomplete"),
        (image(config={**EMPTY.to_json(), "size": -1}), "size is not a number"),
        (image(config={**EMPTY.to_json(), "size": True}), "size is not a number"),
        (image(config={**EMPTY.to_json(), "size": "1"}), "size is not a number"),
        (image(config={**EMPTY.to_json(), "digest": "sha256:../x"}), "a descriptor is incomplete"),
        (image(config={**EMPTY.to_json(), "annotations": {"a": 1}}), "wrong type"),
        (image(config={**EMPTY.to_json(), "annotations": ["a"]}), "wrong type"),
        (image(config={**EMPTY.to_json(), "platform": {"os": "linux"}}), "is incomplete"),
        (image(subject={"digest": 1}), "a descriptor is incomplete"),
        (encode({"manifests": 5}), "it has no list of manifests"),
    ],
)
def test_what_is_wrong(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidManifest, match=reason):
        Manifest.parse(raw)


def test_type_comes_from_the_header_where_the_json_is_silent() -> None:
    silent = image(mediaType=None)
    assert Manifest.parse(silent).media_type == OCI_MANIFEST
    assert Manifest.parse(silent, DOCKER_MANIFEST).media_type == DOCKER_MANIFEST
    assert Manifest.parse(encode({"manifests": []})).media_type == OCI_INDEX
    assert Manifest.parse(encode({"manifests": []}), DOCKER_INDEX).media_type == DOCKER_INDEX


def test_header_and_json_must_agree() -> None:
    reason = f"it says {OCI_MANIFEST} and came as {DOCKER_MANIFEST}"
    with pytest.raises(InvalidManifest) as caught:
        Manifest.parse(image(), DOCKER_MANIFEST)
    assert caught.value.reason == reason
    assert str(caught.value) == f"Not a manifest: {reason}."


def test_subject() -> None:
    assert Manifest.parse(image(subject=EMPTY.to_json())).subject == EMPTY
    assert Manifest.parse(image()).subject is None


def test_platform_reads_as_docker_writes_it() -> None:
    assert str(Platform("linux", "amd64")) == "linux/amd64"
    assert str(Platform("linux", "arm64", "v8")) == "linux/arm64/v8"


def test_encoding_is_the_same_everywhere() -> None:
    assert encode({"b": "মেঘ", "a": [1, {}]}) == '{"a":[1,{}],"b":"মেঘ"}'.encode()


@pytest.mark.parametrize("algorithm", sorted(digests.SIZES))
def test_digest(algorithm: str) -> None:
    digest = digests.of(b"rain", algorithm)
    assert digests.split(digest) == (algorithm, digest.partition(":")[2])
    assert digests.short(digest) == digest.partition(":")[2][:12]


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", "sha256:12", "sha256:" + "g" * 64, "sha256:" + "A" * 64]
    + ["md5:" + "0" * 32, "sha256:" + "0" * 65, "sha512:" + "0" * 64, "sha256:" + "0" * 64 + "\n"],
)
def test_no_digest(text: str) -> None:
    with pytest.raises(InvalidDigest, match="Not a digest"):
        digests.split(text)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_verifier(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    verifier = digests.Verifier(digests.of(whole))
    for chunk in chunks:
        verifier.update(memoryview(chunk))
    verifier.check()
    assert verifier.size == len(whole)
    verifier.update(b"!")
    with pytest.raises(DigestMismatch) as caught:
        verifier.check()
    assert (caught.value.expected, caught.value.actual) == (
        digests.of(whole),
        digests.of(whole + b"!"),
    )


def test_layers_have_a_type_of_their_own() -> None:
    layer = Descriptor(OCI_LAYER, digests.of(b"a"), 1)
    manifest = Manifest.parse(image(layers=[layer.to_json()]))
    assert [blob.media_type for blob in manifest.blobs] == [OCI_CONFIG, OCI_LAYER]
