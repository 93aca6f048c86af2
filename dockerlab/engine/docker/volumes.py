"""The volumes of a Docker Engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockerlab.engine.docker.client import Client
from dockerlab.engine.docker.labels import LAB_LABEL
from dockerlab.errors import EngineError


@dataclass(frozen=True)
class Volume:
    """A volume: its files are in `folder` on the docker host."""

    name: str
    labels: Mapping[str, str] | None
    folder: str


class Volumes:
    """All volumes of one Docker Engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, name: str = "", labels: Mapping[str, str] | None = None) -> Volume:
        """The volume of that name, made if there is none; without a name an anonymous one."""
        marked = {**(labels or {}), LAB_LABEL: "1"}
        return _volume(self._client.create_volume(name or None, labels=marked))

    def list(self) -> Sequence[Volume]:
        """All volumes, by name."""
        found = self._client.volumes()["Volumes"] or ()
        return sorted((_volume(told) for told in found), key=lambda volume: volume.name)

    def size(self, name: str) -> int:
        """The bytes of all files in the volume of that name; EngineError if there is none."""
        for told in self._client.df()["Volumes"] or ():
            if told["Name"] == name:
                return max(int((told.get("UsageData") or {}).get("Size", 0)), 0)
        raise EngineError(f"Error response from daemon: get {name}: no such volume")


def _volume(told: Mapping[str, object]) -> Volume:
    labels = told.get("Labels")
    known = labels if isinstance(labels, Mapping) else None
    return Volume(str(told["Name"]), known, str(told["Mountpoint"]))
