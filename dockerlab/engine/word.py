"""The word `docker` in a terminal of a machine without docker: it means the lab's command line.

A folder with one program, to be put at the end of the PATH, where a real docker always wins.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from dockerlab.engine.home import home, private

_NAME = "dockerlab-docker"  # by which it is known, wherever the lab keeps its state
_SH = '#!/bin/sh\nPYTHONSAFEPATH=1 exec {python} -m dockerlab docker "$@"\n'
_CMD = '@setlocal\r\n@set PYTHONSAFEPATH=1\r\n@"{python}" -m dockerlab docker %*\r\n'


def folder() -> Path:
    """Where the program is."""
    return home() / _NAME


def lay() -> None:
    """Write the program, for the Python that runs now."""
    place = private(folder())
    _write(place / "docker", _SH.format(python=shlex.quote(sys.executable)))
    _write(place / "docker.cmd", _CMD.format(python=sys.executable.replace("%", "%%")))


def real() -> str | None:
    """The docker command of this machine that is not ours."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = os.pathsep.join(each for each in path if Path(each).name != _NAME)
    return shutil.which("docker", path=others)


def _write(path: Path, text: str) -> None:
    """At once: a terminal may run it meanwhile."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(text.encode())
        partial.chmod(0o700)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
