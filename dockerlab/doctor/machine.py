"""The machine: room on the disk, memory, a font for Bangla, a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from dockerlab.doctor.finding import FAULT, OK, WARNING, Finding, State
from dockerlab.engine.home import home
from dockerlab.i18n import _

DISK = (200 * 10**6, 10**9)  # bytes below which it is a fault, and a warning
MEMORY = (300 * 10**6, 10**9)
_GROUP = Path("/sys/fs/cgroup")
_PATIENCE = 1.5


def disk() -> Finding:
    """The room where the lab keeps its state."""
    place = home()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return judge_disk(shutil.disk_usage(place).free, str(home()))
    except OSError as error:
        return Finding("disk", _("Disk"), FAULT, f"{home()}: {error.strerror}")


def judge_disk(free: int, place: str) -> Finding:
    """Whether so many bytes will do."""
    value = _("{size} free, for {folder}").format(size=_size(free), folder=place)
    fix = _("Make room, or set DOCKERLAB_HOME to a folder on another disk.")
    return _enough("disk", _("Disk"), free, DISK, value, fix)


def memory() -> Finding:
    """The memory that is left, also where a container limits it."""
    import psutil

    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):  # "max" is no limit
        limit = int((_GROUP / "memory.max").read_text())
        free = min(free, limit - int((_GROUP / "memory.current").read_text()))
    return judge_memory(free)


def judge_memory(free: int) -> Finding:
    """Whether so many bytes will do."""
    value = _("{size} free").format(size=_size(free))
    fix = _("Close programs that you do not need; one learner's lab takes about 450 MB.")
    return _enough("memory", _("Memory"), free, MEMORY, value, fix)


def font() -> Finding:
    """A font with Bangla letters."""
    label = _("Bangla font")
    if sys.platform in ("win32", "darwin"):
        return Finding("font", label, OK, _("comes with the system"))
    program = shutil.which("fc-list")
    if not program:
        value = _("cannot be told: fc-list is not here")
        return Finding("font", label, WARNING, value, _font_fix())
    asked = [program, ":lang=bn", "family"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return Finding("font", label, WARNING, _("cannot be told"), _font_fix())
    families = sorted({line.partition(",")[0].strip() for line in done.stdout.splitlines()})
    if families:
        return Finding("font", label, OK, ", ".join(families[:3]))
    return Finding("font", label, FAULT, _("none: Bangla would be empty boxes"), _font_fix())


def _font_fix() -> str:
    return _(
        "On Debian and Ubuntu: sudo apt install fonts-lohit-beng-bengali; on Fedora: sudo dnf "
        "install lohit-bengali-fonts. Then start the browser again."
    )


def browser() -> Finding:
    """A browser, and a screen for it."""
    import webbrowser

    label = _("Browser")
    fix = _("Open the address that dockerlab prints in a browser, maybe on another machine.")
    screen = sys.platform in ("win32", "darwin") or bool(
        {"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    )
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return Finding("browser", label, WARNING, _("none was found"), fix)
    if not screen:
        return Finding("browser", label, WARNING, _("no screen here to open one on"), fix)
    name = str(getattr(found, "name", "") or _("the system's"))
    return Finding("browser", label, OK, Path(name).name)


def _enough(
    name: str, label: str, free: int, least: tuple[int, int], value: str, fix: str
) -> Finding:
    state: State = FAULT if free < least[0] else WARNING if free < least[1] else OK
    return Finding(name, label, state, value, "" if state == OK else fix)


def _size(count: int) -> str:
    return f"{count / 10**9:.1f} GB" if count >= 10**9 else f"{max(count, 0) // 10**6} MB"
