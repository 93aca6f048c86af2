"""Python, dockerlab, and the packages that dockerlab is made with."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata

from dockerlab import __version__
from dockerlab.doctor.finding import FAULT, OK, WARNING, Finding
from dockerlab.i18n import _

_NAME = "dockerlab"
_AT_LEAST = re.compile(r"([\w.-]+)>=([\d.]+)$")
_SHOWN = ("jupyterlab", "ipykernel", "ipywidgets", "granian", "docker")
_BESIDE = ("ipykernel",)  # it comes with JupyterLab
_OLDEST = (3, 10)


def python() -> Finding:
    """The Python that runs this."""
    return judge_python(sys.version_info[:2], platform.python_version(), sys.executable)


def judge_python(version: tuple[int, ...], text: str, place: str) -> Finding:
    """Whether that Python is new enough."""
    value = f"{text} ({place})"
    if version >= _OLDEST:
        return Finding("python", "Python", OK, value)
    oldest = ".".join(map(str, _OLDEST))
    fix = _("Install Python {oldest} or newer, and dockerlab with it.").format(oldest=oldest)
    return Finding("python", "Python", FAULT, value, fix)


def dockerlab() -> Finding:
    """The dockerlab that runs, beside the one that is installed."""
    try:
        installed = metadata.version(_NAME)
    except metadata.PackageNotFoundError:
        return Finding(
            _NAME,
            _NAME,
            WARNING,
            _("{version}, run from a folder without being installed").format(version=__version__),
            _("Install it with pip, so that its packages are installed too."),
        )
    if installed == __version__:
        return Finding(_NAME, _NAME, OK, installed)
    said = _("{version} runs, {installed} is installed")
    value = said.format(version=__version__, installed=installed)
    return Finding(_NAME, _NAME, WARNING, value, _("Install dockerlab again with pip."))


def packages() -> Finding:
    """What dockerlab needs, in the versions that it needs."""
    try:
        wanted = [*(metadata.requires(_NAME) or ()), *(f"{name}>=1" for name in _BESIDE)]
    except metadata.PackageNotFoundError:
        wanted = []
    installed = {}
    for name, _oldest in at_least(wanted):
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return judge_packages(wanted, installed)


def judge_packages(wanted: Iterable[str], installed: Mapping[str, str]) -> Finding:
    """Whether all that is wanted (`NAME>=VERSION`) is installed and new enough."""
    label = _("Packages")
    lacking, wrong = [], []
    for name, oldest in at_least(wanted):
        found = installed.get(name)
        if found is None:
            wrong.append(_("{name} is missing").format(name=name))
        elif _parts(found) < _parts(oldest):
            wrong.append(_("{name} {version} is too old").format(name=name, version=found))
        else:
            continue
        lacking.append(f'"{name}>={oldest}"')
    if lacking:
        fix = f"{sys.executable} -m pip install -U {' '.join(lacking)}"
        return Finding("packages", label, FAULT, ", ".join(wrong), fix)
    shown = ", ".join(f"{name} {installed[name]}" for name in _SHOWN if name in installed)
    return Finding("packages", label, OK, shown)


def at_least(wanted: Iterable[str]) -> list[tuple[str, str]]:
    """Name and oldest version of each requirement that is for everybody."""
    found = (_AT_LEAST.match(one.replace(" ", "")) for one in wanted)
    return [(match[1], match[2]) for match in found if match]


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])
