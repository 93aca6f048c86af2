"""What can be wrong with a bundle, or with the place where it should go.

DockerlabError
├── Unreadable         it is not there, or may not be read
├── NoBundle           it is none, or only half of one
├── BrokenBundle       one of its files is not what it was
├── NewerBundle        it is written in a newer way
├── WrongMachine       it has no wheels for this machine
├── NoRoom             it does not fit on the disk
├── Busy               another installation is under way there
├── Foreign            something else is where it should go
├── NotInstalled       pip could not install it
├── NotCollected       a package cannot be had
├── NoImages           a file to be carried holds no image
└── TooLarge           Python could not run so large a file
"""

from __future__ import annotations

import errno
from collections.abc import Iterable

from dockerlab.errors import DockerlabError, why
from dockerlab.i18n import _

_MEGA = 1_000_000


def size(count: int) -> str:
    """Bytes as people read them: `61 MB`."""
    return f"{max(1, round(count / _MEGA))} MB"


class Unreadable(DockerlabError):
    """The file at `path` cannot be read; `number` is the errno that says why."""

    def __init__(self, path: object, number: int | None) -> None:
        super().__init__(str(path), number)
        self.path, self.number = str(path), number

    def message(self) -> str:
        """Why not."""
        reasons = {
            errno.ENOENT: _("there is no such file"),
            errno.EISDIR: _("it is a folder"),
            errno.EACCES: _("you may not read it"),
        }
        reason = reasons.get(self.number or 0) or why(self.number)
        return _("{path} cannot be read: {reason}.").format(path=self.path, reason=reason)


class NoBundle(DockerlabError):
    """The file at `path` is no bundle, or only half of one."""

    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def message(self) -> str:
        """What it may be instead."""
        return _(
            "{path} is not a bundle of the course, or only half of one. Copy it again, whole; "
            "nothing was changed here."
        ).format(path=self.path)


class BrokenBundle(DockerlabError):
    """The file `name` in the bundle at `path` is not what it was when the bundle was made."""

    def __init__(self, path: object, name: str) -> None:
        super().__init__(str(path), name)
        self.path, self.name = str(path), name

    def message(self) -> str:
        """Which file, and what to do."""
        return _(
            "The bundle {path} is damaged: {name} in it is not what it was. Copy it again; "
            "nothing was changed here."
        ).format(path=self.path, name=self.name)


class NewerBundle(DockerlabError):
    """The bundle at `path` is written in a way that this version cannot read."""

    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def message(self) -> str:
        """Who can read it."""
        return _(
            "The bundle {path} was made by a newer dockerlab than this one. Let it install "
            "itself: python3 {path}"
        ).format(path=self.path)


class WrongMachine(DockerlabError):
    """This machine is `here`; the bundle has wheels for `there` only."""

    def __init__(self, here: object, there: Iterable[object]) -> None:
        super().__init__(str(here), *map(str, there))
        self.here, self.there = str(here), ", ".join(map(str, there))

    def message(self) -> str:
        """What the bundle is for, and how to get the right one."""
        return _(
            "This bundle is for {there}; here is {here}. Run it with one of those Pythons, or ask "
            "for a bundle for this machine (dockerlab bundle save --for … --python …)."
        ).format(here=self.here, there=self.there)


class NoRoom(DockerlabError):
    """At `path` there are `free` bytes on the disk, and `needed` are needed."""

    def __init__(self, path: object, needed: int, free: int) -> None:
        super().__init__(str(path), needed, free)
        self.path, self.needed, self.free = str(path), needed, free

    def message(self) -> str:
        """How much is missing."""
        return _(
            "There is not enough room on the disk at {path}: {needed} are needed, {free} are "
            "free. Make room, or choose another folder with --to FOLDER."
        ).format(path=self.path, needed=size(self.needed), free=size(self.free))


class Busy(DockerlabError):
    """Another installation is under way in the same folder."""

    def message(self) -> str:
        """That it is to be waited for."""
        return _("The course is being installed there already. Wait until that has ended.")


class Foreign(DockerlabError):
    """What is at `path` did not come from a bundle, and is left alone."""

    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def message(self) -> str:
        """What to do instead."""
        return _(
            "At {path} there is something that no bundle has put there; it is left alone. Choose "
            "another name."
        ).format(path=self.path)


class NotInstalled(DockerlabError):
    """The packages could not be installed; `tail` is the last that was said about it."""

    def __init__(self, tail: str) -> None:
        super().__init__(tail)
        self.tail = tail

    def message(self) -> str:
        """That nothing was changed, and what was said."""
        said = _("The packages could not be installed; what was here before is as it was.")
        return f"{said}\n{self.tail}"


class NotCollected(DockerlabError):
    """A wheel of `package` cannot be had for `target`; `reason` is English and technical."""

    def __init__(self, package: str, target: object, reason: str) -> None:
        super().__init__(package, str(target), reason)
        self.package, self.target, self.reason = package, str(target), reason

    def message(self) -> str:
        """Which one, and the two ways to have it."""
        return _(
            "{package} cannot be put into the bundle for {target}: {reason}. It needs internet, "
            "or a folder that has the wheel: --wheels FOLDER."
        ).format(package=self.package, target=self.target, reason=self.reason)


class NoImages(DockerlabError):
    """The file at `path` holds no image that has a name."""

    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def message(self) -> str:
        """How to make such a file."""
        return _(
            "{path} holds no image with a name. Make such a file with docker save -o FILE IMAGE."
        ).format(path=self.path)


class TooLarge(DockerlabError):
    """Python runs no file of 4 GiB or more."""

    def message(self) -> str:
        """What to leave out."""
        return _("The bundle would be larger than 4 GB, and Python could not run it.")
