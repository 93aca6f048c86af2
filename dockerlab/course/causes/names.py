"""Why a name was refused, or nothing was found by it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from dockerlab.course.causes.act import Act, again, copied
from dockerlab.course.causes.scene import HUB, Scene, Seen, listed, near, seen, short
from dockerlab.errors import NotFound
from dockerlab.i18n import _
from dockerlab.image import sample
from dockerlab.image.reference import Reference

_HARMLESS = {"tag", "push", "pull", "history", "logs", "port", "top", "start"}
_GETTABLE = {"tag", "push", "history", "inspect", "save"}
_LIMIT = 100  # tags or repositories that are asked for


def mistyped(scene: Scene) -> Seen | None:
    """A name that cannot be one, and may be meant to be another."""
    wrong, meant = scene.facts["name"], scene.facts.get("near", "")
    if not meant or scene.verb not in _HARMLESS:
        return None
    return seen("", Act(_("Use {name}").format(name=meant), (scene.instead(wrong, meant),)))


def unregistered(scene: Scene) -> Seen | None:
    """A push to Docker Hub that nobody meant: the name says so."""
    name = scene.reference
    if name is None or name.registry != HUB or name.namespace not in ("", "library"):
        return None
    return seen("no-registry", name=name.text or short(name), full=str(name))


def push_denied(scene: Scene) -> Seen | None:
    """Whose name it is, and who she is there."""
    name = scene.reference
    if name is None:
        return None
    at_once = unregistered(scene)
    if at_once:
        target = f"{scene.registry}/{name.name}" + (f":{name.tag}" if name.tag != "latest" else "")
        return at_once._replace(acts=tuple(filter(None, [_renamed(scene, name, target)])))
    user = scene.user(name.registry)
    facts = {"registry": name.registry, "account": name.namespace or name.name}
    if not user:
        login = f"docker login {name.registry}".replace(f" {HUB}", "")
        return seen("nobody", copied(_("Log in"), login), **facts)
    return seen("somebody", user=user, **facts)


def _renamed(scene: Scene, source: Reference, target: str) -> Act | None:
    """Another name for an image, and then a push by it; hers to do if the image is hers."""
    image = scene.image(source)
    if image is None:
        return None
    label = _("Give it the name {name}").format(name=target)
    push = scene.line("push", target)
    line = scene.line("image", "tag", short(source), target)
    act = Act(label, (line,), then=Act(_("Push it there"), (push,)))
    return act if scene.ours(image) else copied(label, act.command)


def pull_denied(scene: Scene) -> Seen | None:
    """Whether it is somewhere else, or only misspelt."""
    name = scene.reference
    if name is None:
        return None
    wanted = short(name)
    for here in scene.names:
        other = Reference.parse(here)
        if other.name == name.name and other.locator != name.locator:
            return seen("here", name=wanted, other=here)
    if name.registry == HUB and scene.host.name == "embedded":
        there = _in_mini_hub()
        meant = near(wanted, there)
        act = Act(_("Pull {name}").format(name=meant), (scene.line("pull", meant),))
        return seen("mini-hub", act if meant else None, names=", ".join(there))
    user = scene.user(name.registry)
    return seen("somebody" if user else "nobody", user=user, registry=name.registry)


def not_tagged(scene: Scene) -> Seen | None:
    """Which image could be meant."""
    name = scene.reference
    if name is None:
        return None
    same = [each for each in scene.names if Reference.parse(each).name == name.name]
    source = (same or [near(short(name), scene.names)])[0]
    if not source:
        return seen("none", names=listed(scene.names)) if scene.names else seen("nothing")
    act = _renamed(scene, Reference.parse(source), short(name))
    return seen("other", act, name=short(name), other=source)


def no_such_image(scene: Scene) -> Seen | None:
    """A name that is nearly this one; or it was never pulled."""
    wanted = scene.facts["name"].removesuffix(":latest")
    typed = next((word for word in scene.command if word.removesuffix(":latest") == wanted), "")
    if meant := near(wanted, scene.names):
        line = scene.instead(typed, meant)
        use = Act(_("Use {name}").format(name=meant), (line,))
        return seen("near", use if typed and scene.verb in _HARMLESS else None, near=meant)
    pull = Act(
        _("Pull {name} first").format(name=wanted),
        (scene.line("pull", wanted),),
        then=again(scene.words),
    )
    gettable = typed and scene.verb in _GETTABLE
    if scene.host.name == "embedded" and "/" not in wanted:
        gettable = gettable and wanted.partition(":")[0] in _in_mini_hub()
    key = "none" if scene.names else "nothing"
    return seen(key, pull if gettable else None, names=listed(scene.names))


def _in_mini_hub() -> list[str]:
    """The repositories that Mini Hub has, as one types them."""
    return [repository.removeprefix("library/") for repository in sample.HUB]


def manifest_unknown(scene: Scene) -> Seen | None:
    """Which tags the registry has, or which repositories."""
    name = scene.reference
    if name is None or name.registry == HUB:
        return None
    image, push = scene.image(name), None
    if image and scene.ours(image) and scene.verb != "push":
        push = Act(_("Push it there"), (scene.line("push", short(name)),), then=again(scene.words))
    tags = _tags(scene, name.registry, name.repository)
    if not tags:
        return repositories(scene, push)
    meant = tags[0] if len(tags) == 1 else near(name.tag or "", tags)
    other = f"{name.locator}:{meant}"
    pull = Act(_("Pull {name}").format(name=other), (scene.line("pull", other),))
    acts = [push, pull if meant and scene.verb == "pull" else None, _shown(name.registry)]
    return seen("tags", *acts, repository=name.repository, tags=listed(tags))


def name_unknown(scene: Scene) -> Seen | None:
    """Which repositories the registry has."""
    return repositories(scene)


def repositories(scene: Scene, act: Act | None = None) -> Seen | None:
    """What the registry holds."""
    if not scene.address:
        return None
    with scene.host.connect(scene.address) as registry:
        names = list(islice(registry.catalog(), _LIMIT))
    facts = {"registry": scene.address, "names": listed(names)}
    return seen("repositories" if names else "empty", act, _shown(scene.address), **facts)


def _tags(scene: Scene, registry: str, repository: str) -> list[str]:
    with scene.host.connect(registry) as asked:
        try:
            return list(islice(asked.tags(repository), _LIMIT))
        except NotFound:
            return []


def _shown(registry: str) -> Act:
    return copied(_("See all that it holds"), f'lab.registry("{registry}")')


AT_ONCE: dict[str, Callable[[Scene], Seen | None]] = {
    "name": mistyped,
    "push-denied": unregistered,
}
LOOKING: dict[str, Callable[[Scene], Seen | None]] = {
    "push-denied": push_denied,
    "pull-denied": pull_denied,
    "not-tagged": not_tagged,
    "no-such-image": no_such_image,
    "manifest-unknown": manifest_unknown,
    "name-unknown": name_unknown,
}
