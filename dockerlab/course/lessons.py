"""The state in which each lesson begins."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dockerlab.engine import removal
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _
from dockerlab.image.sample import LABEL

if TYPE_CHECKING:
    from dockerlab.engine.embedded import Embedded
    from dockerlab.engine.image import Image

OWN = ("my-image", "hello-registry")  # the samples that lessons give names to

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
    """Bring the lab to the lesson's start; UnknownLesson if there is none.

    What an earlier go at a lesson left goes: the container `registry`, the course's samples under
    all their names, and what is named after localhost:5000. Everything else stays.
    """
    if lesson not in BEGINNINGS:
        near = get_close_matches(str(lesson), BEGINNINGS, n=1, cutoff=0)
        raise UnknownLesson(str(lesson), near[0])
    for container in engine.containers.list():
        if container.name == "registry":
            engine.containers.remove(container, force=True, volumes=True)
    for image in engine.images.list():
        for text in _leftovers(image):
            removal.remove(engine.images, text, force=True)
    for sample in BEGINNINGS[lesson]:
        engine.images.add_sample(sample, sample)


def _leftovers(image: Image) -> list[str]:
    """What goes of an image: all of the course's own, of others the names that a lesson gave."""
    if image.labels.get(LABEL) in OWN:
        return [image.id]
    return [str(name) for name in image.names if name.registry == "localhost:5000"]
