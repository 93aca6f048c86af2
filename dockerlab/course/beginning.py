"""The state in which each lesson begins."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dockerlab.course import membership
from dockerlab.course.outline import Lesson, lessons
from dockerlab.engine import second, trust
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.past.carrying import Left
from dockerlab.errors import DockerlabError, NotOurs
from dockerlab.i18n import _
from dockerlab.image.sample import LABEL

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Image

OWN = ("my-image", "hello-registry", "internal-app")  # the samples that lessons give names to


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


def begin(name: str, engine: Engine, *, anew: bool = False) -> bool:
    """Bring the lab to the lesson's start; UnknownLesson if there is none.

    What an earlier go at any lesson left goes: the containers and volumes that lessons make, the
    course's samples under all their names, names and logins of registries on this machine, and the
    second host, if the lesson has one and dockerlab plays it. Everything else stays, and so does
    all that the learner has made on a Docker Engine without the lab; NotOurs, PortHeld or PortTaken
    if that is in the lesson's way, NoImage if a registry that it should find cannot run.

    What a lesson `keeps` is long work: another lesson only stops its containers, and itself it goes
    on where the learner was, unless she wants it `anew`. Whether it does is returned.
    """
    lesson = find(str(name))
    going_on = not anew and lesson.keeps and _is_begun(lesson, engine)
    _clear(engine, [each for each in lessons() if not each.keeps or (each == lesson and anew)])
    if going_on:
        return True
    _stop(engine, [each for each in lessons() if each.keeps])
    _forget_names(engine)
    if lesson.begins.get("host2"):
        second.forget(engine)
    for sample in lesson.begins.get("images", ()):
        engine.images.add_sample(sample, sample)
    _make_room(engine, lesson)
    for registry in lesson.begins.get("registries", ()):
        from dockerlab.course.prepared import prepare

        prepare(registry, engine)
    return False


def find(name: str) -> Lesson:
    """The lesson of that name; UnknownLesson if there is none."""
    known = {lesson.name: lesson for lesson in lessons()}
    if name not in known:
        raise UnknownLesson(name, get_close_matches(name, known, n=1, cutoff=0)[0])
    return known[name]


def left(lesson: Lesson) -> Left:
    """What does not go on into a lesson that begins anew, with all others."""
    containers, volumes = (_made(kind, lessons()) for kind in ("containers", "volumes"))
    return Left(containers, volumes, (second.NAME,) if lesson.begins.get("host2") else ())


def _is_begun(lesson: Lesson, engine: Engine) -> bool:
    """Whether something of the lesson is there that is the lab's."""
    containers, volumes = (_made(kind, [lesson]) for kind in ("containers", "volumes"))
    return any(
        one.name in containers and engine.owns(one.config["Labels"])
        for one in engine.containers.list()
    ) or any(one.name in volumes and engine.owns(one.labels) for one in engine.volumes.list())


def _clear(engine: Engine, lessons: Sequence[Lesson]) -> None:
    """Take away the containers and volumes that these lessons make."""
    containers, volumes = (_made(kind, lessons) for kind in ("containers", "volumes"))
    for container in engine.containers.list():
        if container.name in containers and engine.owns(container.config["Labels"]):
            engine.remove_container(container.id, force=True, volumes=True)
    for volume in engine.volumes.list():
        if volume.name in volumes and engine.owns(volume.labels):
            engine.remove_volume(volume.name)


def _stop(engine: Engine, lessons: Sequence[Lesson]) -> None:
    """Stop the containers that these lessons make, so that their ports are free."""
    containers = _made("containers", lessons)
    running = [one for one in engine.containers.list() if one.running and one.name in containers]
    for container in running:
        if engine.owns(container.config["Labels"]):
            engine.containers.stop(container)


def _forget_names(engine: Engine) -> None:
    """Take away the samples, and what leads to registries on this machine: names, logins, trust."""
    first = second.first(engine)
    for image in engine.images.list():
        for text in _leftovers(image, engine, first):
            engine.remove_image(text, force=True)
    joined = membership.find()
    for registry in engine.credentials.registries:
        if _is_here(registry, first) and not (joined and joined.address == registry):
            engine.credentials.erase(registry)
    if isinstance(engine, Embedded):
        trust.forget(engine.path)


def _made(kind: str, lessons: Sequence[Lesson]) -> set[str]:
    """The names of the containers or volumes that these lessons make."""
    return {name for lesson in lessons for name in lesson.begins.get(kind, ())}


def _leftovers(image: Image, engine: Engine, first: str) -> list[str]:
    """What goes of an image: all of the course's own, of others the names that a lesson gave."""
    if image.labels.get(LABEL) in OWN:
        return [image.id]
    named = [str(name) for name in image.names if _is_here(name.registry, first)]
    return named if LABEL in image.labels or engine.owns(image.labels) else []


def _is_here(registry: str, first: str) -> bool:
    """Whether it is on this machine, which another host calls `first`."""
    return registry.partition(":")[0] in ("localhost", "127.0.0.1", first)


def _make_room(engine: Engine, lesson: Lesson) -> None:
    """Say what of the learner's own the lesson's containers would run into."""
    ports = {str(port) for port in lesson.begins.get("ports", ())}
    for container in engine.containers.list():
        owned = engine.owns(container.config["Labels"])
        if container.name in lesson.begins.get("containers", ()) and not (owned and lesson.keeps):
            raise NotOurs("container", container.name)
        if container.running and (held := ports & set(container.published)):
            if owned:
                continue  # made in the lab: `docker run` says so, and that is explained
            raise PortHeld(int(min(held)), container.name)
