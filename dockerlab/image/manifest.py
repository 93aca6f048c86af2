"""Manifests, indexes and descriptors (OCI image-spec 1.1, and Docker's own types)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockerlab.errors import InvalidDigest, InvalidManifest
from dockerlab.image import digest as digests

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_INDEX)
SIZE_LIMIT = 4 * 1024 * 1024  # bytes; distribution-spec § Pushing Manifests


@dataclass(frozen=True)
class Platform:
    """What a manifest of an index runs on."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def to_json(self) -> dict[str, str]:
        """As it stands in an index."""
        plain = {"architecture": self.architecture, "os": self.os}
        return plain | ({"variant": self.variant} if self.variant else {})


@dataclass(frozen=True)
class Descriptor:
    """What points to content: its type, digest and size in bytes."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    artifact_type: str = ""

    @classmethod
    def from_json(cls, data: Any) -> Descriptor:
        """From parsed JSON; InvalidManifest if it is no descriptor."""
        try:
            digests.split(data["digest"])
            size, media_type = data["size"], data["mediaType"]
            platform, kind = data.get("platform"), data.get("artifactType")
            annotations = data.get("annotations") or {}
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise InvalidManifest("a descriptor's size is not a number of bytes")
            texts = annotations.values() if isinstance(annotations, dict) else [None]
            if not all(isinstance(text, str) for text in (media_type, *texts)):
                raise InvalidManifest("a descriptor's fields have the wrong type")
            return cls(
                media_type,
                data["digest"],
                size,
                Platform(
                    str(platform["os"]),
                    str(platform["architecture"]),
                    str(platform.get("variant") or ""),
                )
                if platform
                else None,
                annotations,
                kind if isinstance(kind, str) else "",
            )
        except (KeyError, TypeError, AttributeError, InvalidDigest) as error:
            raise InvalidManifest(f"a descriptor is incomplete ({error})") from None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest or an index."""
        data: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.platform:
            data["platform"] = self.platform.to_json()
        if self.annotations:
            data["annotations"] = dict(self.annotations)
        if self.artifact_type:
            data["artifactType"] = self.artifact_type
        return data


@dataclass(frozen=True)
class Manifest:
    """An image manifest or an index, with the very bytes that its digest names."""

    raw: bytes = field(repr=False)
    media_type: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None

    @classmethod
    def parse(cls, raw: bytes, media_type: str = "") -> Manifest:
        """From bytes; `media_type` (the Content-Type) decides where the JSON does not say."""
        try:
            data = json.loads(raw)
        except (ValueError, RecursionError):
            raise InvalidManifest("it is not JSON") from None
        if not isinstance(data, dict):
            raise InvalidManifest("it is not a JSON object")
        stated = data.get("mediaType")
        if stated is not None and media_type and stated != media_type:
            raise InvalidManifest(f"it says {stated} and came as {media_type}")
        media_type = stated or media_type or (OCI_INDEX if "manifests" in data else OCI_MANIFEST)
        if media_type not in MANIFESTS + INDEXES:
            raise InvalidManifest(f"its type {media_type} is unknown")
        subject = Descriptor.from_json(data["subject"]) if data.get("subject") else None
        if media_type in INDEXES:
            return cls(raw, media_type, manifests=_descriptors(data, "manifests"), subject=subject)
        if "config" not in data:
            raise InvalidManifest("it has no config")
        config = Descriptor.from_json(data["config"])
        return cls(raw, media_type, config, _descriptors(data, "layers"), (), subject)

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the bytes."""
        return digests.of(self.raw)

    @property
    def descriptor(self) -> Descriptor:
        """What points to this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.raw))

    @property
    def referrer(self) -> Descriptor:
        """What points to this manifest in a list of those about its subject."""
        data = json.loads(self.raw)
        notes = data.get("annotations")
        kind = data.get("artifactType") or (self.config.media_type if self.config else "")
        return replace(
            self.descriptor,
            annotations=notes if isinstance(notes, dict) else {},
            artifact_type=kind if isinstance(kind, str) else "",
        )

    @property
    def is_index(self) -> bool:
        """Whether this lists manifests, one for each platform."""
        return self.media_type in INDEXES

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers: what must be in a registry before this manifest is."""
        return (self.config, *self.layers) if self.config else self.layers


def encode(data: Mapping[str, Any]) -> bytes:
    """JSON bytes that are the same wherever they are made."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _descriptors(data: Mapping[str, Any], key: str) -> tuple[Descriptor, ...]:
    entries = data.get(key)
    if not isinstance(entries, list):
        raise InvalidManifest(f"it has no list of {key}")
    return tuple(Descriptor.from_json(entry) for entry in entries)
