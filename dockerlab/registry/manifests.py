"""What a registry does with manifests beyond storing them: find, check, and who refers to whom."""

from __future__ import annotations

import json
import re
from typing import Any

from dockerlab.errors import InvalidManifest
from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from dockerlab.registry.refusals import Refusal
from dockerlab.registry.storage import Storage

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


def store(storage: Storage, name: str, reference: str, manifest: Manifest) -> str:
    """Check and keep a manifest, under a tag or its digest; gives its digest."""
    tag = None if ":" in reference else reference
    if tag and not TAG.fullmatch(tag):
        raise Refusal("TAG_INVALID", {"Tag": tag})
    algorithm, _ = ("sha256", "") if tag else digests.split(reference)
    digest = digests.of(manifest.raw, algorithm)
    if not tag and digest != reference:
        raise Refusal("DIGEST_INVALID", {"digest": reference})
    for item in manifest.blobs:
        if not storage.blob(name, item.digest) and not _lies_elsewhere(item):
            raise Refusal("MANIFEST_BLOB_UNKNOWN", {"digest": item.digest})
    for item in manifest.manifests:
        if not storage.has_manifest(name, item.digest):
            raise Refusal("MANIFEST_BLOB_UNKNOWN", {"digest": item.digest})
    storage.put_manifest(name, digest, manifest.raw, tag)
    return digest


def remove(storage: Storage, name: str, reference: str) -> None:
    """Remove a tag, or a manifest with all its tags; MANIFEST_UNKNOWN."""
    if ":" in reference:
        digests.split(reference)
        removed = storage.delete_manifest(name, reference)
    else:
        removed = bool(TAG.fullmatch(reference)) and storage.untag(name, reference)
    if not removed:
        raise Refusal("MANIFEST_UNKNOWN", {"name": name, "reference": reference})


def media_type(raw: bytes) -> str:
    """The Content-Type of a stored manifest, which only its content tells."""
    try:
        data = json.loads(raw)
    except ValueError:  # damaged on disk, as whoever checks the digest will see
        return "application/octet-stream"
    if data.get("schemaVersion") == 1:
        return _SCHEMA1
    return str(data.get("mediaType") or (OCI_INDEX if "manifests" in data else OCI_MANIFEST))


def referrers(storage: Storage, name: str, subject: str) -> list[dict[str, Any]]:
    """Descriptors of the manifests about `subject` (distribution-spec § Listing Referrers)."""
    found = []
    for digest in sorted(storage.manifests(name)):
        raw = storage.manifest(name, digest)
        try:
            manifest = Manifest.parse(raw or b"")
        except InvalidManifest:
            continue
        if manifest.subject and manifest.subject.digest == subject:
            found.append(_referrer(digest, manifest))
    return found


def _referrer(digest: str, manifest: Manifest) -> dict[str, Any]:
    data = json.loads(manifest.raw)
    descriptor = Descriptor(
        manifest.media_type, digest, len(manifest.raw), annotations=data.get("annotations") or {}
    )
    kind = data.get("artifactType") or (manifest.config and manifest.config.media_type)
    return {**descriptor.to_json(), **({"artifactType": kind} if kind else {})}


def _lies_elsewhere(layer: Descriptor) -> bool:
    return any(word in layer.media_type for word in _ELSEWHERE)
