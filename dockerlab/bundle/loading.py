"""A bundle is loaded into the installation that runs: a newer course, and its images."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from packaging.version import Version

import dockerlab
from dockerlab.bundle.images import offer
from dockerlab.bundle.installing import install, program, source, surroundings
from dockerlab.bundle.opening import Bundle, opened
from dockerlab.i18n import _, language


def load(path: Path, prefix: Path, say: Callable[[str], None]) -> None:
    """Do all that a bundle can do for the environment in `prefix`."""
    say(_("Checking the bundle …"))
    with opened(path) as bundle:
        if _is_newer(bundle, prefix, say):
            install(bundle, prefix, lambda words: say(words()))
            say(_("The course is version {version} now.").format(version=bundle.manifest.version))
            _go_on(path, prefix)
        elif bundle.manifest.images:
            offer(bundle, say)


def load_images(path: Path, say: Callable[[str], None]) -> None:
    """Load the images alone."""
    with opened(path) as bundle:
        offer(bundle, say)


def _is_newer(bundle: Bundle, prefix: Path, say: Callable[[str], None]) -> bool:
    """Whether the course is to be replaced; says why not."""
    ours, theirs = Version(dockerlab.__version__), Version(bundle.manifest.version)
    made = source(prefix)
    if theirs < ours:
        said = _(
            "The bundle has version {theirs} of the course; yours, {ours}, is newer and stays."
        )
        say(said.format(theirs=theirs, ours=ours))
    elif theirs == ours and made in (None, bundle.digest):
        say(_("The course is up to date: version {version}.").format(version=ours))
    elif made is None:
        said = _(
            "The bundle has version {theirs} of the course, yours is {ours}. No bundle has "
            "installed yours, so it stays; this installs the newer one beside it: python3 {path}"
        )
        say(said.format(theirs=theirs, ours=ours, path=bundle.path))
    elif os.name == "nt":  # which does not let go of a program that runs
        said = _(
            "Windows cannot replace what is running. Close the course, and type: "
            'python {path} --to "{folder}"'
        )
        say(said.format(path=bundle.path, folder=prefix))
    else:
        return True
    return False


def _go_on(path: Path, prefix: Path) -> None:
    """The images are the new version's part: what runs here still is the old one, and is gone."""
    command = [str(program(prefix)), "--lang", language(), "bundle", "load", "--images", str(path)]
    subprocess.run(command, env=surroundings(), check=False)
