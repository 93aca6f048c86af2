"""What may be in the way of moving the lab to another state."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

_PORT = re.compile(r":(\d+)(?: failed|: bind)")


class LabBusy(DockerlabError):
    """Something else is at work in the lab: `moving` it, or bringing an image into it."""

    def __init__(self, moving: bool) -> None:
        super().__init__(moving)
        self.moving = moving

    def message(self) -> str:
        """What happened, in the learner's language."""
        if self.moving:
            return _(
                "Another goto, reset or undo is at work in this lab. Wait until it is done, and "
                "try again. Nothing was changed."
            )
        return _(
            "An image is just on its way, by a pull, a push or a load. Wait until it is there, or "
            "stop it, and try again. Your lab is as it was."
        )


class NothingKept(DockerlabError):
    """There is nothing to undo, or, `forward`, nothing that was undone."""

    def __init__(self, forward: bool) -> None:
        super().__init__(forward)
        self.forward = forward

    def message(self) -> str:
        """What happened, in the learner's language."""
        if self.forward:
            return _("There is nothing to redo: nothing was undone since the last goto or reset.")
        return _("There is nothing to undo: no earlier state of the lab is kept.")


class OtherEngine(DockerlabError):
    """The state that was kept is of the Docker Engine at `url`, which is not in use now."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url

    def message(self) -> str:
        """What happened, in the learner's language."""
        return _(
            "What was kept belongs to the Docker Engine at {url}, which is not in use now. Use "
            "that one, and try again. It stays kept."
        ).format(url=self.url)


@dataclass(frozen=True)
class Stuck:
    """A container that ran and does not run again, or ("") something else; docker's `reason`."""

    container: str
    reason: str

    def __str__(self) -> str:
        if not self.container:
            return self.reason
        if port := _PORT.search(self.reason):
            said = _(
                "The container {name} is back but not running: another program has taken port "
                "{port} meanwhile. Free it, then: docker start {name}"
            )
            return said.format(name=self.container, port=port[1])
        said = _("The container {name} is not running again: {reason}")
        return said.format(name=self.container, reason=self.reason)
