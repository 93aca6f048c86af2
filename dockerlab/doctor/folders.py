"""The folders that the lab writes to."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dockerlab.doctor.finding import FAULT, OK, Finding
from dockerlab.engine.home import home
from dockerlab.errors import why
from dockerlab.i18n import _

LESSONS = Path("~/dockerlab")


def folders() -> list[Finding]:
    """The lab's own folder, and the one of the learner's lessons."""
    return [
        judge("state-folder", _("Lab's folder"), home(), "DOCKERLAB_HOME"),
        judge("lesson-folder", _("Lessons' folder"), LESSONS.expanduser(), "--dir"),
    ]


def judge(name: str, label: str, folder: Path, elsewhere: str) -> Finding:
    """Whether files can be written there; nothing of it stays."""
    try:
        _try_to_write(folder)
    except OSError as error:
        value = _("{folder} cannot be written: {reason}")
        fix = _("Mend its rights, or choose another folder with {option}.")
        said = value.format(folder=folder, reason=why(error.errno))
        return Finding(name, label, FAULT, said, fix.format(option=elsewhere))
    return Finding(name, label, OK, str(folder))


def _try_to_write(folder: Path) -> None:
    """OSError unless a file can be made there, or the folder where it is not there yet."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    with tempfile.TemporaryFile(dir=place) as probe:
        probe.write(b"dockerlab")
        probe.flush()
