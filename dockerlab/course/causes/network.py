"""Why a registry, or the way to it, said no."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from dockerlab.course.causes.act import Act, again, copied
from dockerlab.course.causes.scene import HUB, Scene, Seen, listed, near, seen
from dockerlab.engine import registries
from dockerlab.engine.container import Container
from dockerlab.i18n import _

_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def plain_http(scene: Scene) -> Seen | None:
    """Whose daemon wants HTTPS."""
    if not scene.address:
        return None
    key = "other-host" if scene.context else "this-host"
    return seen(key, host=scene.context, address=scene.address)


def from_elsewhere(scene: Scene) -> Seen | None:
    """`localhost`, on another docker host."""
    host, _colon, port = scene.address.partition(":")
    if not scene.context or host not in _LOCAL:
        return None
    return seen("other-host", host=scene.context, port=port or "80")


def refused(scene: Scene) -> Seen | None:
    """The registry is stopped, or has another port, or there is none."""
    host, _colon, port = scene.address.rpartition(":")
    if scene.context or host not in _LOCAL:
        return None
    known = sorted(registries.registries(scene.host), key=lambda one: one.state.status == "created")
    here = {one.id: registries.ports(scene.host, one) for one in known}
    if fitting := [one for one in known if port in here[one.id]]:
        return _stopped(scene, fitting[0], port)
    running = [one for one in known if one.running and registries.address(one)]
    if running:
        address = registries.address(running[0])
        return seen("another-port", port=port, name=running[0].name, address=address)
    if known:
        return _stopped(scene, known[0], port)
    line = ("run", "-d", "-p", f"{port}:5000", "--name", "registry", "registry:2")
    free = scene.container("registry") is None
    label = _("Run a registry on port {port}").format(port=port)
    start = Act(label, (scene.line(*line),), then=_again(scene))
    return seen("none", start if free else None, port=port)


def _stopped(scene: Scene, container: Container, port: str) -> Seen:
    if container.running:
        return seen("deaf", name=container.name, port=port)
    label = _("Start {name} again").format(name=container.name)
    start = Act(label, (scene.line("start", container.name),), then=_again(scene))
    return seen("stopped", start, name=container.name, port=port)


def _again(scene: Scene) -> Act | None:
    return again(scene.words) if scene.verb in ("push", "pull") else None


def no_login(scene: Scene) -> Seen | None:
    """Where she is logged in, and where not."""
    address = scene.address
    if not address:
        return None
    user, others = scene.user(address), scene.host.credentials.registries
    login = copied(_("Log in"), f"docker login {address}")
    if user:
        return seen("refused", login, address=address, user=user)
    if others:
        return seen("elsewhere", login, address=address, others=listed(others))
    return seen("nowhere", login, address=address)


def limited(scene: Scene) -> Seen | None:
    """Whether she was somebody there."""
    user = scene.user(HUB)
    return seen("somebody", user=user) if user else seen("nobody")


def unknown_host(scene: Scene) -> Seen | None:
    """A name that is nearly localhost."""
    host, colon, port = scene.address.partition(":")
    typed = host or scene.facts.get("name", "")
    if not near(typed, ["localhost"]) or typed == "localhost":
        return None
    wrong = [word for word in scene.command if word.startswith(f"{typed}{colon}{port}/")]
    meant = wrong[0].replace(typed, "localhost", 1) if wrong else ""
    if not meant or scene.verb not in ("pull", "push"):
        return seen("near", name=typed)
    line = scene.instead(wrong[0], meant)
    return seen("near", Act(_("Use {name}").format(name=meant), (line,)), name=typed)


def untrusted(scene: Scene) -> Seen | None:
    """Whether this docker host was told of an authority for that very address."""
    if not scene.address:
        return None
    from dockerlab.engine import trust
    from dockerlab.engine.docker import config
    from dockerlab.engine.embedded import Embedded

    host = scene.host
    folder = host.path if isinstance(host, Embedded) else config.engines()
    told = trust.known(folder, scene.address).authorities
    context = f', context="{scene.context}"' if scene.context else ""
    act = copied(_("Let it be trusted"), f'lab.trust("{scene.address}"{context})')
    return seen("another" if told else "nobody", None if told else act, address=scene.address)


def misnamed(scene: Scene) -> Seen | None:
    """For whom the certificate is, and who was asked."""
    asked = scene.facts.get("asked") or scene.address.partition(":")[0]
    if valid := scene.facts.get("valid"):
        return seen("other-names", asked=asked, valid=valid)
    return seen("no-names", asked=asked) if asked else None


def other_machine(scene: Scene) -> Seen | None:
    """Which platform was asked for, else what this machine is."""
    from dockerlab.engine.inspecting import machine

    platform = scene.facts.get("platform", "")
    if platform and any(word.startswith("--platform") for word in scene.words):
        return seen("asked", platform=platform)

    return seen("machine", machine=f"linux/{machine()}")


def no_deleting(scene: Scene) -> Seen | None:
    """Which registry was not told to allow it."""
    setting = "REGISTRY_STORAGE_DELETE_ENABLED=true"
    for one in registries.registries(scene.host):
        env = one.config.get("Env") or scene.host.containers.find(one.id).config.get("Env") or ()
        if one.running and setting not in env:
            return seen("container", name=one.name)
    return None


def no_space(scene: Scene) -> Seen | None:
    """How much there is."""
    from dockerlab.engine.commands.format import size
    from dockerlab.engine.home import home

    disk = shutil.disk_usage(home())
    return seen("free", free=size(disk.free), total=size(disk.total))


def no_context(scene: Scene) -> Seen | None:
    """Which docker hosts there are."""
    wanted = scene.facts["name"]
    if scene.engine.name != "embedded":  # the others are known to docker's CLI only
        return None
    names = [host.host for host in scene.engine.hosts()]
    act = copied(_("Make the second host"), "lab.second_host()") if wanted == "host2" else None
    return seen("others", act, names=listed(names))


def no_command(scene: Scene) -> Seen | None:
    """One that is called nearly so."""
    from dockerlab.engine.commands.parse import COMMANDS

    wanted = scene.facts["name"].split()
    short = [name for name in COMMANDS if len(name.split()) == len(wanted)]
    meant = near(" ".join(wanted), short)
    if not meant:
        return None
    at = scene.start
    line = (*scene.words[:at], *meant.split(), *scene.words[at + len(wanted) :])
    right = copied(_("Use {name}").format(name=meant), Act("", (line,)).command)
    return seen("near", right if scene.words else None, name=meant)


AT_ONCE: dict[str, Callable[[Scene], Seen | None]] = {
    "plain-http": plain_http,
    "connection-refused": from_elsewhere,
    "wrong-certificate-name": misnamed,
    "no-such-host": unknown_host,
}
LOOKING: dict[str, Callable[[Scene], Seen | None]] = {
    "connection-refused": refused,
    "no-credentials": no_login,
    "rate-limit": limited,
    "unknown-authority": untrusted,
    "wrong-platform": other_machine,
    "delete-disabled": no_deleting,
    "disk-full": no_space,
    "unknown-context": no_context,
    "unknown-command": no_command,
}
