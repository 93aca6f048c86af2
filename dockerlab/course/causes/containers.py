"""Why a container stands in the way: of a name, a port, an image."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from dockerlab.course.causes.act import Act, Line, again
from dockerlab.course.causes.scene import Scene, Seen, near, seen
from dockerlab.engine.container import Container
from dockerlab.i18n import _

_OTHERS = 20  # ports that are tried
_READING = {"logs", "port", "inspect", "top", "start"}


def port_taken(scene: Scene) -> Seen | None:
    """Which container has the port, or another program."""
    port = scene.facts.get("port", "")
    holder = next((one for one in scene.containers if port and port in one.published), None)
    other = _elsewhere(scene, port)
    if holder is None and port and not _listens(int(port)):
        return seen("free", _once_more(scene), port=port)
    if holder is None:
        return seen("program", other, port=port) if port else None
    facts = {"container": holder.name, "port": port}
    if not scene.ours(holder):
        return seen("yours", other, **facts)
    stop = Act(
        _("Stop {name}").format(name=holder.name),
        (scene.line("stop", holder.name),),
        sure=True,
        then=_once_more(scene),
    )
    return seen("lab", other, stop if scene.verb == "run" else None, **facts)


def _once_more(scene: Scene) -> Act | None:
    """The same line again."""
    again = Act(_("Run it again"), (*_leftover(scene), scene.words))
    return again if scene.verb == "run" else None


def _elsewhere(scene: Scene, port: str) -> Act | None:
    """The same line on the next free port."""
    free = _free(int(port)) if port else 0
    if not free or scene.verb not in ("run", "create"):
        return None
    published = re.compile(rf"(^|[:=]|^-p){port}:(?=\d)")
    words = tuple(published.sub(rf"\g<1>{free}:", word) for word in scene.words)
    if words == scene.words:
        return None
    label = _("Run it on port {port}").format(port=free)
    return Act(label, (*_leftover(scene), words))


def _leftover(scene: Scene) -> tuple[Line, ...]:
    """What removes the container that the failed `run` has left, which has the name already."""
    name = _name(scene)
    left = scene.container(name) if name else None
    fits = left and left.name == name and left.state.status == "created" and scene.ours(left)
    return (scene.line("rm", name),) if fits else ()


def _name(scene: Scene) -> str:
    """What `--name` says."""
    words = scene.command
    follows = [new for old, new in zip(words, words[1:], strict=False) if old == "--name"]
    joined = [word.partition("=")[2] for word in words if word.startswith("--name=")]
    return (follows + joined + [""])[0]


def _free(port: int) -> int:
    """The next port on which nobody listens, or 0."""
    others = range(port + 1, min(port + _OTHERS, 65536))
    return next((number for number in others if not _listens(number)), 0)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.05)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def name_conflict(scene: Scene) -> Seen | None:
    """Whose container has the name, and whether it runs."""
    name = scene.facts["name"]
    there = scene.container(name)
    if there is None:
        return None
    if not scene.ours(there):
        return seen("yours", name=name)
    new = again(scene.words) if scene.verb in ("run", "create") else None
    remove = Act(
        _("Remove the old container {name}").format(name=name),
        (scene.line("rm", "-f", name),),
        sure=True,
        then=new,
    )
    if there.running:
        return seen("running", remove, name=name)
    start = Act(_("Start {name} again").format(name=name), (scene.line("start", name),))
    return seen("stopped", start, remove, name=name)


def image_in_use(scene: Scene) -> Seen | None:
    """Which container uses it."""
    found = re.search(r"container (\w+)", scene.text)
    there = scene.container(found[1]) if found else None
    if there is None:
        return None
    remove = Act(
        _("Remove the container {name}").format(name=there.name),
        (scene.line("rm", "-f", there.name),),
        sure=True,
        then=again(scene.words),
    )
    key = "running" if there.running else "stopped"
    return seen(key, remove if scene.ours(there) else None, name=there.name)


def still_running(scene: Scene) -> Seen | None:
    """The container that is to be removed."""
    there = scene.container(scene.command[-1]) if scene.command else None
    if there is None:
        return None
    stop = Act(
        _("Stop {name}").format(name=there.name),
        (scene.line("stop", there.name),),
        sure=True,
        then=again(scene.words),
    )
    return seen("running", stop if scene.ours(there) else None, name=there.name)


def no_such_container(scene: Scene) -> Seen | None:
    """One that is called nearly so."""
    wanted, known = scene.facts["name"], [one.name for one in scene.containers]
    if meant := near(wanted, known):
        act = Act(_("Use {name}").format(name=meant), (scene.instead(wanted, meant),))
        return seen("near", act if scene.verb in _READING else None, near=meant)
    return seen("others", names=", ".join(sorted(known))) if known else seen("none")


def volume_in_use(scene: Scene) -> Seen | None:
    """Which containers have it."""
    users: list[Container] = list(scene.host.containers.attached(scene.facts["name"]))
    names = ", ".join(sorted(one.name for one in users))
    return seen("users", name=scene.facts["name"], names=names) if users else None


AT_ONCE: dict[str, Callable[[Scene], Seen | None]] = {}
LOOKING: dict[str, Callable[[Scene], Seen | None]] = {
    "port-allocated": port_taken,
    "port-in-use": port_taken,
    "name-conflict": name_conflict,
    "image-in-use": image_in_use,
    "container-running": still_running,
    "no-such-container": no_such_container,
    "volume-in-use": volume_in_use,
}
