"""Which repositories of a registry have which layers, so that a push can mount them there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dockerlab.image.reference import Reference

_MOST = 10  # repositories that are remembered for a layer
Names = list[str]


class Pushed:
    """The memory, in a JSON file: registry, layer digest, repositories."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, registry: str) -> dict[str, Names]:
        """Layer digest -> repositories of that registry, the last used first."""
        return self._read().get(registry, {})

    def learn(self, reference: Reference, layers: Sequence[str]) -> None:
        """The repository of `reference` has these layers; the layout must be locked."""
        known = self._read()
        repositories = known.setdefault(reference.registry, {})
        for digest in layers:
            others = [name for name in repositories.get(digest, ()) if name != reference.repository]
            repositories[digest] = [reference.repository, *others][:_MOST]
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(known), encoding="utf-8")
        new.replace(self._path)

    def _read(self) -> dict[str, dict[str, Names]]:
        # It only saves uploads: one that cannot be read is as good as none.
        try:
            found = json.loads(self._path.read_bytes())
            return found if isinstance(found, dict) else {}
        except (OSError, ValueError):
            return {}
