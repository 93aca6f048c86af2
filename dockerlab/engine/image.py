"""A local image, and what the index remembers of it so that listing images reads nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dockerlab.errors import EngineError
from dockerlab.image import digest as digests
from dockerlab.image.layout import Entry, Layout
from dockerlab.image.manifest import Descriptor, Manifest, Platform
from dockerlab.image.reference import Reference

# Annotations of a line of the index.
ID, CREATED, SIZES = "dockerlab.id", "dockerlab.created", "dockerlab.sizes"
TAGGED = "dockerlab.tagged"
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Image:
    """A local image; `sizes` are the bytes of the files in each layer, lowest first."""

    id: str
    descriptor: Descriptor
    names: tuple[Reference, ...]
    digests: tuple[Reference, ...]
    created: str
    sizes: tuple[int, ...]
    tagged: str
    layout: Layout = field(repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(self.sizes)

    @property
    def references(self) -> tuple[Reference, ...]:
        """All its names and repository digests, in docker's order."""
        return tuple(sorted(self.names + self.digests, key=str))

    @cached_property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return self.layout.manifest(self.descriptor)

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """Its layers as they are stored, lowest first."""
        return self.manifest.layers

    @cached_property
    def config(self) -> dict[str, Any]:
        """Its config (image-spec, config.md)."""
        return read_config(self.layout.read(self.id))

    @property
    def settings(self) -> dict[str, Any]:
        """What a container of it starts with: Cmd, Env, Labels …"""
        found = self.config.get("config")
        return found if isinstance(found, dict) else {}

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.settings.get("Labels") or {}

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of its layers' tars, lowest first."""
        return tuple(self.config["rootfs"]["diff_ids"])

    @property
    def chain_ids(self) -> tuple[str, ...]:
        """What docker calls each layer on top of those below (config.md § Layer ChainID)."""
        chain: list[str] = []
        for diff_id in self.diff_ids:
            both = f"{chain[-1]} {diff_id}" if chain else ""
            chain.append(digests.of(both.encode()) if both else diff_id)
        return tuple(chain)

    @property
    def platform(self) -> Platform:
        """What it runs on."""
        config = self.config
        return Platform(
            config.get("os") or "linux", config.get("architecture") or "", config.get("variant", "")
        )


Images = list[Image]


def collect(layout: Layout, entries: Iterable[Entry]) -> Images:
    """The images that the described lines of an index name."""
    groups: dict[str, list[str]] = {}
    descriptors: dict[str, Descriptor] = {}
    tagged: dict[str, str] = {}
    for entry in entries:
        key = image_id(entry)
        groups.setdefault(key, []).extend([entry.name] if entry.name else [])
        descriptors.setdefault(key, entry.descriptor)
        tagged[key] = max(tagged.get(key, _NEVER), entry.descriptor.annotations.get(TAGGED, _NEVER))
    images = []
    for key, names in groups.items():
        references = [Reference.parse(name) for name in sorted(names)]
        notes = descriptors[key].annotations
        images.append(
            Image(
                key,
                descriptors[key],
                tuple(reference for reference in references if not reference.digest),
                tuple(reference for reference in references if reference.digest),
                notes[CREATED],
                tuple(int(size) for size in notes[SIZES].split(",") if size),
                tagged[key],
                layout,
            )
        )
    return images


def image_id(entry: Entry) -> str:
    """The ID of the image that a described line is about."""
    return entry.descriptor.annotations[ID]


def read_config(raw: bytes) -> dict[str, Any]:
    """An image's config from its bytes; EngineError if it is none."""
    try:
        config = json.loads(raw)
        diff_ids = config["rootfs"]["diff_ids"]
        if isinstance(diff_ids, list) and all(isinstance(text, str) for text in diff_ids):
            return dict(config)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise EngineError("invalid rootfs in image configuration")
