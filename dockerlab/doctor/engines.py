"""What carries out docker commands here, and whether it can run a registry."""

from __future__ import annotations

import re
import subprocess

from dockerlab.doctor.finding import FAULT, OK, WARNING, Finding, State
from dockerlab.engine import current, found, wanted, word
from dockerlab.engine.docker import Docker
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

IMAGE = "registry:2"
OLDEST = (20, 10)  # of the engines that the course is tested with
_NUMBER = re.compile(r"\d+(?:\.\d+)+")
_PATIENCE = 1.5


def engine() -> Finding:
    """Which engine serves, and how well."""
    label = _("Engine")
    try:
        serving = current()
    except DockerlabError as error:
        fix = _("Start that Docker, or take DOCKERLAB_ENGINE away: the course has its own engine.")
        return Finding("engine", label, FAULT, error.message(), fix)
    if isinstance(serving, Docker):
        version = found().version
        number = version.number if version else serving.version
        product = version.product if version else "Docker Engine"
        return judge_engine(product, number, serving.place, cli())
    named = [] if wanted() else [each for each in found().problems if each.is_named]
    value = _("the course's own, no Docker needed")
    if not wanted() and word.real():
        value += "; " + _("Docker is installed here, but does not run")
    fix = " ".join(each.message() for each in named)
    return Finding("engine", label, WARNING if named else OK, value, fix)


def judge_engine(product: str, number: str, place: str, cli: str) -> Finding:
    """Whether that engine is new enough, and docker's command line (its version, or "") there."""
    value = f"{product} {number}, {place}, "
    value += _("docker's command line {version}").format(version=cli) if cli else _("no docker CLI")
    old = product != "Podman" and tuple(map(int, re.findall(r"\d+", number)[:2])) < OLDEST
    state: State = OK
    fix = ""
    if old:
        state = WARNING
        fix = _("This engine is older than those that the course is tested with: update Docker.")
    elif not cli:
        state = WARNING
        fix = _(
            "The lessons work without it. For docker commands beyond them, install docker's "
            "command line (on Debian and Ubuntu: docker-cli or docker.io)."
        )
    return Finding("engine", _("Engine"), state, value, fix)


def cli() -> str:
    """The version of docker's command line, or ""."""
    program = word.real()
    if not program:
        return ""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version = _NUMBER.search(said)
    return version[0] if version else said.strip()


def registry_image(online: bool) -> Finding:
    """Whether registry:2 can run, also without internet."""
    try:
        serving = current()
    except DockerlabError:
        return judge_image(own=True, there=False, mirrored=False, online=online)
    if not isinstance(serving, Docker):
        return judge_image(own=True, there=True, mirrored=False, online=online)
    there, mirrored = True, False
    try:
        serving.images.find(IMAGE)
    except DockerlabError:
        there = False
        mirrored = bool((serving.info().get("RegistryConfig") or {}).get("Mirrors"))
    return judge_image(own=False, there=there, mirrored=mirrored, online=online)


def judge_image(*, own: bool, there: bool, mirrored: bool, online: bool) -> Finding:
    """Whether the image is there, or can come."""
    label = _("Image {name}").format(name=IMAGE)
    if own:
        return Finding("registry-image", label, OK, _("the course's own engine has it"))
    if there:
        return Finding("registry-image", label, OK, _("is here, works without internet"))
    get = _("While there is internet: docker pull {name}").format(name=IMAGE)
    if mirrored or online:
        value = _("not here yet; the first lesson that needs it pulls it")
        return Finding("registry-image", label, WARNING, value, get)
    fix = _("Without internet: dockerlab hub, or DOCKERLAB_ENGINE=embedded. {get}").format(get=get)
    return Finding("registry-image", label, FAULT, _("not here, and it cannot be pulled"), fix)
