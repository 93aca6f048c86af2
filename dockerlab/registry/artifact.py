"""Artifacts that refer to an image: a signature, an SBOM (image-spec, manifest.md)."""

from __future__ import annotations

import io

from dockerlab.image import digest as digests
from dockerlab.image.manifest import OCI_MANIFEST, Descriptor, Manifest, encode
from dockerlab.registry.client import Registry

EMPTY = Descriptor("application/vnd.oci.empty.v1+json", digests.of(b"{}"), 2)


def attach(
    registry: Registry, repository: str, subject: Descriptor, content: bytes, kind: str
) -> Manifest:
    """Push `content` as an artifact of type `kind` whose subject is in the same repository."""
    blob = Descriptor(kind, digests.of(content), len(content))
    registry.upload(repository, EMPTY, lambda: io.BytesIO(b"{}"))
    registry.upload(repository, blob, lambda: io.BytesIO(content))
    said = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind,
        "config": EMPTY.to_json(),
        "layers": [blob.to_json()],
        "subject": Descriptor(subject.media_type, subject.digest, subject.size).to_json(),
    }
    manifest = Manifest.parse(encode(said))
    registry.put_manifest(repository, manifest.digest, manifest)
    return manifest
