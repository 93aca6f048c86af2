"""A bundle becomes an environment of Python with the course in it, all at once or not at all.

It is made at `FOLDER.new`, tried, and only then given the name of the one before.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dockerlab.bundle.alone import alone
from dockerlab.bundle.manifest import Wheels, here
from dockerlab.bundle.mistakes import Foreign, NoRoom, NotInstalled, WrongMachine, size
from dockerlab.bundle.opening import Bundle
from dockerlab.errors import CannotWrite
from dockerlab.i18n import _, digits

Say = Callable[[Callable[[], str]], None]  # is told how to word a line, in any language

_MARK = "dockerlab-bundle.json"
_RARE = r"site-packages.pip\b"  # what need not start fast
_TAIL = 12  # lines of pip's complaint
# pip out of its own wheel; what it makes names the Python that will run it, not the one that runs.
_PIP = (
    "import runpy, sys; sys.executable = sys.argv.pop(1); sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)


def install(bundle: Bundle, folder: Path, say: Say) -> bool:
    """Put the course into `folder` in place of an older one; False if it is there already.

    WrongMachine, Busy, Foreign, NoRoom, CannotWrite or NotInstalled, and everything is as it was.
    """
    wheels = bundle.manifest.suitable(here())
    if wheels is None:
        raise WrongMachine(here(), [each.machine for each in bundle.manifest.wheels])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(_beside(folder, "lock")):
            return _install(bundle, wheels, folder, say)
    except OSError as error:
        raise CannotWrite(folder, error.errno) from None


def _install(bundle: Bundle, wheels: Wheels, folder: Path, say: Say) -> bool:
    aside, old = _beside(folder, "new"), _beside(folder, "old")
    try:
        _mend(folder, aside, old)
        if os.path.lexists(folder) and source(folder) is None:
            raise Foreign(folder)
        if source(folder) == bundle.digest and _works(folder):
            return False
        _check_room(folder.parent, wheels, bundle)
        _make(bundle, wheels, folder, aside, say)
        _switch(folder, aside, old)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return True


def source(folder: Path) -> str | None:
    """The digest of the bundle that made an environment; None if none did."""
    try:
        return str(json.loads((folder / _MARK).read_bytes())["bundle"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def program(folder: Path, name: str = "dockerlab") -> Path:
    """A command of the environment in `folder`."""
    windows = os.name == "nt"
    return folder / ("Scripts" if windows else "bin") / (f"{name}.exe" if windows else name)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """An environment's Python, with nothing of what surrounds this one; its output is kept."""
    return subprocess.run(
        [program(folder, "python"), "-I", "-X", "utf8", *words],
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def surroundings() -> dict[str, str]:
    """The variables for another Python: no settings of this one's, of pip's, or of a venv."""
    unwanted = ("PIP_", "PYTHON", "VIRTUAL_ENV", "__PYVENV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def _beside(folder: Path, kind: str) -> Path:
    return folder.with_name(f"{folder.name}.{kind}")


def _mend(folder: Path, aside: Path, old: Path) -> None:
    """Clear up after an installation that was killed."""
    if old.exists() and not os.path.lexists(folder):
        old.rename(folder)
    for rest in (aside, old):
        if rest.exists():
            shutil.rmtree(rest)


def _works(folder: Path) -> bool:
    with suppress(OSError):
        return run(folder, "-m", "dockerlab", "--version").returncode == 0
    return False


def _check_room(place: Path, wheels: Wheels, bundle: Bundle) -> None:
    packed = sum(bundle.manifest.files[name][1] for name in wheels.files)
    needed, free = wheels.unpacked * 3 // 2 + packed, shutil.disk_usage(place).free  # bytecode too
    if needed > free:
        raise NoRoom(place, needed, free)


def _make(bundle: Bundle, wheels: Wheels, folder: Path, aside: Path, say: Say) -> None:
    """A whole environment at `aside` that works once it is called `folder`."""
    _Environment(folder).create(aside)
    packed = aside / "wheels"
    packed.mkdir()
    files = list(bundle.extract(wheels.files, packed))
    say(lambda: _announced(len(files), wheels.unpacked))
    pip = next(path for path in files if path.name.startswith("pip-"))
    words = ["--isolated", "install", "--no-index", "--no-deps", "--no-compile", "--no-cache-dir"]
    words += ["--disable-pip-version-check", "--no-warn-script-location", "--quiet"]
    _done(
        run(aside, "-c", _PIP, str(program(folder, "python")), str(pip), *words, *map(str, files))
    )
    shutil.rmtree(packed)
    run(aside, "-m", "compileall", "-q", "-j", "0", "-x", _RARE, str(aside))
    say(lambda: _("Trying whether it runs …"))
    _done(run(aside, "-m", "dockerlab", "--version"))
    mark = {"bundle": bundle.digest, "version": bundle.manifest.version}
    (aside / _MARK).write_text(json.dumps(mark), "utf-8")


def _announced(count: int, unpacked: int) -> str:
    said = _("Installing {count} packages, {size}; this takes a minute …")
    return said.format(count=digits(count), size=size(unpacked))


def _done(finished: subprocess.CompletedProcess[str]) -> None:
    if finished.returncode:
        raise NotInstalled("\n".join(finished.stdout.splitlines()[-_TAIL:]))


def _switch(folder: Path, aside: Path, old: Path) -> None:
    if not folder.exists():
        aside.rename(folder)
        return
    folder.rename(old)
    try:
        aside.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


class _Environment(venv.EnvBuilder):
    """Makes an environment that will be called `final`; pip comes with the other packages."""

    def __init__(self, final: Path) -> None:
        super().__init__(symlinks=os.name != "nt", prompt="dockerlab")
        self._final = final

    def replace_variables(self, text: str, context: SimpleNamespace) -> str:
        """The scripts that activate it name its place."""
        named: Any = copy.copy(context)
        named.env_dir = str(self._final)
        return super().replace_variables(text, named)
