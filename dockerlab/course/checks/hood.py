"""Checks of what was put into a registry by digest and by hand."""

from __future__ import annotations

import io
from typing import Any

from dockerlab.course.checks.state import Seen, State, check, missing
from dockerlab.engine.contents import read_file
from dockerlab.errors import EngineError
from dockerlab.image import sample
from dockerlab.image.manifest import Manifest

_NOTE, _SBOM = "text/plain", "application/spdx+json"


@check("rescued")
def _rescued(state: State, answer: Any) -> Seen:
    there = state.manifest("rescued", "latest")
    if there is None:
        return missing(state, "rescued")
    version = _version(state, "rescued", there)
    return {1: "ok", 0: "different"}.get(version, "new"), {}


@check("by-hand")
def _by_hand(state: State, answer: Any) -> Seen:
    there = state.manifest("by-hand", "latest")
    if there is None:
        return _blobs(state)
    if not _version(state, "by-hand", there):
        return "different", {}
    return ("ok" if state.image(f"{state.registry}/by-hand") else "not-run"), {}


@check("note")
def _note(state: State, answer: Any) -> Seen:
    there = state.manifest("my-image", "latest")
    if there is None:
        return "no-image", {}
    with state.engine.connect(state.registry) as registry:
        found = registry.referrers("my-image", there.digest)
    kinds = [each.artifact_type for each in found]
    if _NOTE in kinds:
        return "ok", {"count": len(kinds)}
    others = [kind for kind in kinds if kind != _SBOM]
    if others:
        return "wrong-kind", {"kind": others[0]}
    return ("only-sbom" if kinds else "nothing"), {}


def _blobs(state: State) -> Seen:
    """How many blobs of my-image are in `by-hand`, where there is no manifest yet."""
    image = state.manifest("my-image", "latest")
    if image is None:
        return "no-image", {}
    with state.engine.connect(state.registry) as registry:
        count = sum(registry.has_blob("by-hand", layer.digest) for layer in image.layers[:-1])
    return ("no-manifest" if count else "no-blobs"), {}


def _version(state: State, repository: str, manifest: Manifest) -> int:
    """Which version of my-image the registry holds there; 0 if it is none."""
    with state.engine.connect(state.registry) as registry:
        layers = [io.BytesIO(registry.read(repository, each)) for each in manifest.layers]
    try:
        said = read_file(reversed(layers), "greeting")
    except (EngineError, FileNotFoundError):
        return 0
    known = {sample.greeting("my-image", version).encode(): version for version in (1, 2)}
    return known.get(said, 0)
