"""What can be run inside a registry's container: its own garbage collection."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dockerlab.engine.container import Container
from dockerlab.engine.launch import environment, places, provide
from dockerlab.engine.watching import daemon

_PROGRAMS = ("registry", "/bin/registry")


def is_known(words: Sequence[str]) -> bool:
    """Whether this is a command that can be run here."""
    return len(words) > 1 and words[0] in _PROGRAMS and words[1] == "garbage-collect"


def execute(
    container: Container, folder: Path, words: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    """Run a command that is known, with the container's settings and files, which are in `folder`.

    EngineError in docker's words if the container is not running.
    """
    if not container.running:
        raise daemon(f"Container {container.id} is not running")
    files = folder / "files"
    provide([word for word in words if word.endswith((".yml", ".yaml"))], container, files)
    command = [sys.executable, "-m", "dockerlab.registry", words[1]]
    return subprocess.run(
        [*command, *places(container, files), *words[2:]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(container),
        cwd=folder,
        encoding="utf-8",
        errors="replace",
    )
