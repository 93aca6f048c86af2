"""What a registry does with manifests beyond storing them: find, check, and who refers to whom."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from dockerlab.errors import InvalidManifest
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.storage import Blob, Storage

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
_ELSEWHERE = ("foreign", "nondistributable")  # layers of such types may be at other places


def find(storage: Storage, name: str, reference: str) -> tuple[str, bytes]:
    """Digest and bytes of the manifest that a tag or digest names; MANIFEST_UNKNOWN."""
    if ":" in reference:
        digests.split(reference)
        digest: str | None = reference
    else:
        digest = storage.resolve(name, reference) if TAG.fullmatch(reference) else None
    raw = storage.manifest(name, digest) if digest else None
    if digest is None or raw is None:
        raise Refusal("MANIFEST_UNKNOWN", {"name": name, "reference": reference})
    return digest, raw


def store(
    storage: Storage, name: str, reference: str, manifest: Manifest, tags: Sequence[str] = ()
) -> str:
    """Check and keep a manifest, under a tag, or under its digest and `tags`; gives its digest."""
    check(manifest)
    by_digest = ":" in reference
    tags = tags if by_digest else (reference,)
    for tag in tags:
        if not TAG.fullmatch(tag):
            raise Refusal("MANIFEST_INVALID", {"tag": tag}, message="invalid tag")
    algorithm, _ = digests.split(reference) if by_digest else ("sha256", "")
    digest = digests.of(manifest.raw, algorithm)
    if by_digest and digest != reference:
        raise Refusal("DIGEST_INVALID", {"digest": reference})
    missing: list[str] = []

    def whole() -> bool:
        missing[:] = _missing(storage, name, manifest)
        return not missing

    if not whole() or not storage.put_manifest(name, digest, manifest.raw, *tags, check=whole):
        raise Refusal("MANIFEST_BLOB_UNKNOWN", {"digest": missing[0]})
    storage.settle({*_named(manifest), *([digest] if tags else [])})
    return digest


def check(manifest: Manifest) -> None:
    """MANIFEST_INVALID if a field that nobody has read yet is of the wrong type."""
    try:
        data = json.loads(manifest.raw)
    except RecursionError:  # there was just room enough on the stack when it was read first
        raise Refusal("MANIFEST_INVALID", "it is nested too deeply") from None
    notes, kind = data.get("annotations"), data.get("artifactType")
    texts = notes.values() if isinstance(notes, dict) else ([] if notes is None else [None])
    if not all(isinstance(text, str) for text in (*texts, "" if kind is None else kind)):
        raise Refusal("MANIFEST_INVALID", "annotations and artifactType are texts")
    version = data.get("schemaVersion", 2)
    if version != 2 or isinstance(version, bool):
        raise Refusal("MANIFEST_INVALID", f"schemaVersion {version} is not 2"[:100])


def remove(storage: Storage, name: str, reference: str) -> None:
    """Remove a tag, or a manifest with all its tags; MANIFEST_UNKNOWN."""
    if ":" in reference:
        digests.split(reference)
        raw = storage.manifest(name, reference)
        removed = storage.delete_manifest(name, reference)
        with suppress(InvalidManifest):
            storage.settle(_named(Manifest.parse(raw or b"")))
    else:
        removed = bool(TAG.fullmatch(reference)) and storage.untag(name, reference)
    if not removed:
        raise Refusal("MANIFEST_UNKNOWN", {"name": name, "reference": reference})


def media_type(raw: bytes) -> str:
    """The Content-Type of a stored manifest, which only its content tells."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):  # damaged on disk, as whoever checks the digest will see
        return "application/octet-stream"
    if not isinstance(data, dict):
        return "application/octet-stream"
    if data.get("schemaVersion") == 1:
        return _SCHEMA1
    return str(data.get("mediaType") or (OCI_INDEX if "manifests" in data else OCI_MANIFEST))


def _missing(storage: Storage, name: str, manifest: Manifest) -> list[str]:
    """The first blob or manifest that it names and the repository has not, if there is one."""
    for item in manifest.blobs:
        if not _lies_elsewhere(item) and not _is_there(storage.promise, name, item.digest):
            return [item.digest]
    for item in manifest.manifests:
        if not _is_there(storage.promise_manifest, name, item.digest):
            return [item.digest]
    return []


def _is_there(
    promise: Callable[[str, str], Blob | None], name: str, digest: str, tries: int = 5
) -> bool:
    """Whoever collects garbage may have it in hand, and put it back while it is looked for."""
    return any(promise(name, digest) for _ in range(tries))


def _named(manifest: Manifest) -> list[str]:
    return [item.digest for item in (*manifest.blobs, *manifest.manifests)]


def _lies_elsewhere(layer: Descriptor) -> bool:
    return any(word in layer.media_type for word in _ELSEWHERE)
