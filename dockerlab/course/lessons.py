"""The state in which each lesson begins."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded

BEGINNINGS: dict[str, tuple[str, ...]] = {
    "00-start": (),
    "02-image-names": ("my-image",),
    "05-tag-push-pull": ("my-image",),
}  # lesson -> sample images that the learner's host holds


class UnknownLesson(DockerlabError):
    """There is no lesson called `name`; `near` is one that is."""

    def __init__(self, name: str, near: str) -> None:
        super().__init__(name, near)
        self.name, self.near = name, near

    def message(self) -> str:
        """What happened, in the learner's language."""
        return _("There is no lesson called “{name}”. Did you mean “{near}”?").format(
            name=self.name, near=self.near
        )


def begin(lesson: str, engine: Embedded) -> None:
    """Empty the lab and bring what `lesson` begins with; UnknownLesson if there is none."""
    if lesson not in BEGINNINGS:
        near = get_close_matches(str(lesson), BEGINNINGS, n=1, cutoff=0)
        raise UnknownLesson(str(lesson), near[0])
    engine.reset()
    for sample in BEGINNINGS[lesson]:
        engine.images.add_sample(sample, sample)
