"""What `docker system df` counts."""

from __future__ import annotations

from dockerlab.engine.base import Json, Usage

_ACTIVE = ("running", "paused", "restarting")


def usage(told: Json) -> list[Usage]:
    """The rows of the table, out of the engine's answer."""
    images, containers, volumes, cache = (
        told.get(key) or [] for key in ("Images", "Containers", "Volumes", "BuildCache")
    )
    used = [one for one in images if one["Containers"]]
    layers = told.get("LayersSize") or 0
    own = sum(one["Size"] - max(one["SharedSize"], 0) for one in used)
    return [
        Usage("Images", len(images), len(used), layers, layers - own),
        _sum("Containers", [(one.get("SizeRw", 0), one["State"] in _ACTIVE) for one in containers]),
        _sum("Local Volumes", [_volume(one) for one in volumes]),
        _sum("Build Cache", [(one["Size"], bool(one.get("InUse"))) for one in cache]),
    ]


def _volume(told: Json) -> tuple[int, bool]:
    counted = told.get("UsageData") or {}
    return max(counted.get("Size", 0), 0), counted.get("RefCount", 0) > 0


def _sum(kind: str, entries: list[tuple[int, bool]]) -> Usage:
    sizes = [size for size, _ in entries]
    unused = sum(size for size, used in entries if not used)
    return Usage(kind, len(entries), sum(used for _, used in entries), sum(sizes), unused)
