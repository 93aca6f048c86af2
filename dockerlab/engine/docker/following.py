"""What a Docker Engine tells while it pushes or pulls: lines as docker prints them, and steps."""

from __future__ import annotations

from collections.abc import Iterable

from dockerlab.engine.base import Json, Say
from dockerlab.engine.progress import Progress
from dockerlab.registry.transfer import State, Step

_MOUNTED = "Mounted from "
_STATES: dict[str, State] = {
    "Preparing": "waiting",
    "Waiting": "waiting",
    "Pulling fs layer": "waiting",
    "Layer already exists": "exists",
    "Already exists": "exists",
    "Pushing": "uploading",
    "Downloading": "downloading",
    "Verifying Checksum": "unpacking",
    "Download complete": "unpacking",
    "Extracting": "unpacking",
    "Pushed": "done",
    "Pull complete": "done",
}


def follow(told: Iterable[Json], say: Say, progress: Progress) -> None:
    """Print what docker's CLI prints where it draws no progress bars; Cancelled."""
    for step in told:
        progress.check()
        moving = step.get("progressDetail") or {}
        if "status" in step and not (moving.get("current") or moving.get("total")):
            before = f"{step['id']}: " if step.get("id") else ""
            say(before + step["status"])
        if found := _step(step, moving, progress):
            progress.step(found)


def _step(told: Json, moving: Json, progress: Progress) -> Step | None:
    """What that tells of a layer, or None: each kind of engine has words of its own, too."""
    name, status = str(told.get("id") or ""), str(told.get("status") or "")
    mounted = status.startswith(_MOUNTED)
    state = "mounted" if mounted else _STATES.get(status)
    if not name or state is None:
        return None
    known = progress.layers.get(name)
    current, total = (known.current, known.total) if known else (0, 0)
    if state in ("uploading", "downloading"):  # to unpack, an engine may count seconds
        current = max(int(moving.get("current") or 0), current)
        total = max(int(moving.get("total") or 0), total)
    elif state in ("unpacking", "done"):
        current = total = max(total, current)
    return Step(name, state, current, total, status[len(_MOUNTED) :] if mounted else "")
