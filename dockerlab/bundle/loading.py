"""A bundle is loaded into the installation that runs: a newer course, and its images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from packaging.version import Version

import dockerlab
from dockerlab.bundle.images import offer
from dockerlab.bundle.installing import install, run, source
from dockerlab.bundle.mistakes import NotInstalled
from dockerlab.bundle.opening import Bundle, opened
from dockerlab.i18n import _, language


def load(path: Path, prefix: Path, say: Callable[[str], None]) -> None:
    """Do all that a bundle can do for the environment in `prefix`."""
    say(_("Checking the bundle …"))
    with opened(path) as bundle:
        if _is_newer(bundle, prefix, say):
            install(bundle, prefix, lambda words: say(words()))
            say(_("The course is version {version} now.").format(version=bundle.manifest.version))
            _go_on(path, prefix, say)
        elif bundle.manifest.images:
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
    else:
        return True
    return False


def _go_on(path: Path, prefix: Path, say: Callable[[str], None]) -> None:
    """The rest is the new version's: what runs here still is the old one, which is gone."""
    done = run(prefix, "-m", "dockerlab", "--lang", language(), "bundle", "load", str(path))
    if done.returncode:
        raise NotInstalled(done.stdout)
    say(done.stdout.rstrip())
