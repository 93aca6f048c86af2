"""What a bundle does when Python runs it: `python3 FILE [--to FOLDER]`.

Nobody has chosen a language yet, so each line comes in both.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dockerlab import i18n
from dockerlab.bundle.installing import install, program, surroundings
from dockerlab.bundle.mistakes import size
from dockerlab.bundle.opening import opened
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

PLACE = Path("~/dockerlab/.venv")


def main(file: str, arguments: Sequence[str]) -> None:
    """Install the course that is in `file`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    folder = _folder(arguments).expanduser().absolute()
    try:
        _install(Path(file).absolute(), folder)
    except DockerlabError as error:
        sys.exit(_both(error.message))
    except KeyboardInterrupt:
        sys.exit(130)


def _folder(arguments: Sequence[str]) -> Path:
    parser = argparse.ArgumentParser(
        prog="python3 FILE", description=_both(lambda: _("Install the course from this file."))
    )
    text = _both(lambda: _("Where the course is installed."), " · ")
    parser.add_argument("--to", metavar="FOLDER", type=Path, default=PLACE, help=text)
    place: Path = parser.parse_args(arguments).to
    return place


def _install(file: Path, folder: Path) -> None:
    total = size(file.stat().st_size)
    _say(lambda: _("Checking the bundle, {size} …").format(size=total))
    with opened(file) as bundle:
        if not install(bundle, folder, _say):
            _say(lambda: _("The course is installed already, in {folder}.").format(folder=folder))
        if bundle.manifest.images:
            command = [str(program(folder)), "bundle", "load", "--images", str(file)]
            subprocess.run(command, env=surroundings(), check=False)
    print()
    _say(lambda: _("To begin, type:"))
    print(f"    {program(folder)}", flush=True)


def _say(words: Callable[[], str]) -> None:
    print(_both(words), flush=True)


def _both(words: Callable[[], str], between: str = "\n") -> str:
    """What is said in Bangla, then in English."""
    said = []
    for code in i18n.LANGUAGES:
        i18n.choose(code)
        said.append(words())
    i18n.choose(None)
    return between.join(said)
