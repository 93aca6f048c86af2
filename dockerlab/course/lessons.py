"""The state in which each lesson begins."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dockerlab.engine import second
from dockerlab.errors import DockerlabError, NotOurs
from dockerlab.i18n import _
from dockerlab.image.sample import LABEL

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Image

OWN = ("my-image", "hello-registry")  # the samples that lessons give names to

BEGINNINGS: dict[str, tuple[str, ...]] = {
    "00-start": (),
    "02-image-names": ("my-image",),
    "05-tag-push-pull": ("my-image",),
    "06-another-host": ("my-image",),
}  # lesson -> sample images that the learner's host holds
REGISTRY, PORT = "registry", 5000  # the container that lessons run, and where they publish it
WITH_REGISTRY = ("05-tag-push-pull", "06-another-host")  # the lessons that do
WITH_SECOND_HOST = ("06-another-host",)


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


class PortHeld(DockerlabError):
    """The learner's own `container` publishes the `port` that a lesson needs."""

    def __init__(self, port: int, container: str) -> None:
        super().__init__(port, container)
        self.port, self.container = port, container

    def message(self) -> str:
        """What happened, in the learner's language."""
        return _(
            "Your container {name} holds port {port}, which this lesson needs. The lab leaves it "
            "alone: stop it for this lesson (docker stop {name}) and run this cell again, or use "
            "another port wherever the lesson has this one, such as -p 5001:5000."
        ).format(name=self.container, port=self.port)


def begin(lesson: str, engine: Engine) -> None:
    """Bring the lab to the lesson's start; UnknownLesson if there is none.

    What an earlier go at a lesson left goes: the container `registry`, the course's samples under
    all their names, what is named after localhost:5000, and the second host, if the lesson has one
    and dockerlab plays it. Everything else stays, and so does all that the learner has made on a
    Docker Engine without the lab; NotOurs or PortHeld if that is in the lesson's way.
    """
    if lesson not in BEGINNINGS:
        near = get_close_matches(str(lesson), BEGINNINGS, n=1, cutoff=0)
        raise UnknownLesson(str(lesson), near[0])
    for container in engine.containers.list():
        if container.name == REGISTRY and engine.owns(container.config["Labels"]):
            engine.remove_container(container.id, force=True, volumes=True)
    for image in engine.images.list():
        for text in _leftovers(image, engine):
            engine.remove_image(text, force=True)
    if lesson in WITH_SECOND_HOST:
        second.forget(engine)
    for sample in BEGINNINGS[lesson]:
        engine.images.add_sample(sample, sample)
    if lesson in WITH_REGISTRY:
        _make_room(engine)


def _leftovers(image: Image, engine: Engine) -> list[str]:
    """What goes of an image: all of the course's own, of others the names that a lesson gave."""
    if image.labels.get(LABEL) in OWN:
        return [image.id]
    named = [str(name) for name in image.names if name.registry == f"localhost:{PORT}"]
    return named if LABEL in image.labels or engine.owns(image.labels) else []


def _make_room(engine: Engine) -> None:
    """Say what of the learner's own a registry would run into."""
    for container in engine.containers.list():
        if container.name == REGISTRY:
            raise NotOurs("container", REGISTRY)
        if container.running and str(PORT) in container.published:
            if engine.owns(container.config["Labels"]):
                continue  # made in the lab: `docker run` says so, and that is explained
            raise PortHeld(PORT, container.name)
