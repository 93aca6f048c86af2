"""Something that can be done about an error: docker lines, or a line of code to be copied."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from dockerlab.i18n import _

Line = tuple[str, ...]  # what stands after `docker`


@dataclass(frozen=True)
class Act:
    """`lines` are run one after another by a button, which says `label`; without any, it is only
    to be copied. `sure`: it asks first. `then` is offered when it has been done."""

    label: str
    lines: tuple[Line, ...] = ()
    text: str = ""
    sure: bool = False
    then: Act | None = None

    @property
    def command(self) -> str:
        """What is run or copied, as it is typed."""
        return self.text or "\n".join(f"docker {shlex.join(line)}" for line in self.lines)

    @property
    def runs(self) -> bool:
        """Whether there is a button that does it."""
        return bool(self.lines)


def copied(label: str, text: str) -> Act:
    """An act for the learner's own hands."""
    return Act(label, text=text)


def again(line: Line) -> Act:
    """The command that failed, once more."""
    return Act(_("Run it again"), (line,))
