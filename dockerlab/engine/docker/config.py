"""The lab's own docker configuration; a learner's own is read and never written."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dockerlab.engine import state
from dockerlab.engine.credentials import FILE, FOLDER, Credentials, locked
from dockerlab.engine.home import home, private

_TAKEN = ("proxies", "HttpHeaders")  # of a learner's own settings, those that reach an engine
_NOBODY: dict[str, dict[str, str]] = {
    "dockerlab.invalid": {}
}  # a login: without any, docker takes the system's password store


def learners() -> Path:
    """The learner's own folder of docker settings."""
    chosen = os.environ.get("DOCKER_CONFIG")
    return Path(chosen) if chosen else Path.home() / ".docker"


def engines() -> Path:
    """The folder of settings of the engine on this machine; Docker Desktop's is the learner's."""
    return Path("/etc/docker") if sys.platform == "linux" else Path.home() / ".docker"


def folder() -> Path:
    """The lab's folder of docker settings: its logins, and its own contexts."""
    return private(home() / FOLDER)


def read(path: Path) -> dict[str, Any]:
    """A config.json; {} if there is none that can be read."""
    try:
        settings = json.loads((path / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def prepare() -> Path:
    """The lab's folder, in step with the learner's contexts, plugins and proxies."""
    ours, theirs = folder(), learners()
    _copy(theirs / "contexts", ours / "contexts")
    if not Credentials(ours).trouble:  # docker itself will tell of it
        _merge(ours, theirs)
    return ours


def _merge(ours: Path, theirs: Path) -> None:
    settings = read(theirs)
    if read(ours) == _merged(read(ours), settings, theirs):
        return
    with locked(ours):
        state.write(ours / FILE, _merged(read(ours), settings, theirs), indent="\t")


def _merged(before: dict[str, Any], settings: dict[str, Any], theirs: Path) -> dict[str, Any]:
    now = before | {name: settings[name] for name in _TAKEN if name in settings}
    extra = settings.get("cliPluginsExtraDirs") or []
    now["cliPluginsExtraDirs"] = [str(theirs / "cli-plugins"), *map(str, extra)]
    now["auths"] = _NOBODY | (before.get("auths") or {})
    return now


def _copy(source: Path, target: Path) -> None:
    """Bring over the files that are new, or newer."""
    for path in source.rglob("*") if source.is_dir() else ():
        copy = target / path.relative_to(source)
        if path.is_file() and (not copy.exists() or copy.stat().st_mtime < path.stat().st_mtime):
            private(copy.parent)
            with suppress(PermissionError):  # of another's: docker could not read it either
                shutil.copy2(path, copy)
