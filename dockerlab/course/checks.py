"""Checks: did it work? Each looks at the registry over HTTP or at the engine's images.

A check is a function of what can be seen from outside, and of the learner's answer where there is
one. It returns the key of what it saw: `ok`, or a hint's. The words for each are in `checks.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockerlab.errors import CannotWrite, DockerlabError, NotFound, RegistryError, Unavailable
from dockerlab.image.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine, Image
    from dockerlab.engine.second import SecondHost
    from dockerlab.image.manifest import Manifest

REGISTRY = "localhost:5000"
_GENERAL = ("no-registry", "trouble", "unknown")  # texts that all checks share
Seen = tuple[str, Mapping[str, str | int]]
_CHECKS: dict[str, Callable[[State, Any], Seen]] = {}


@dataclass(frozen=True)
class Outcome:
    """What check `name` saw: `key` is `ok` or a hint's, `facts` fill its text.

    Numbers among the facts are counts, which prose writes in its own digits.
    """

    name: str
    key: str
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the check is green."""
        return self.key == "ok"


class State:
    """What a check may look at: the engine's images, and registries over HTTP."""

    def __init__(self, engine: Engine, registry: str = "") -> None:
        self.engine = engine
        self.registry = registry or _published(engine)

    @cached_property
    def other(self) -> SecondHost:
        """The second docker host."""
        from dockerlab.engine.second import second

        return second(self.engine)

    def image(self, name: str, engine: Engine | None = None) -> Image | None:
        """The image of that name, here or on another engine."""
        wanted = Reference.parse(name)
        images = (engine or self.engine).images.list()
        return next((image for image in images if wanted in image.names), None)

    def from_other(self, name: str) -> str:
        """What the second host calls `name` of the learner's registry."""
        return f"{self.other.first}:{self.registry.rpartition(':')[2]}/{name}"

    def names(self) -> list[Reference]:
        """All names of local images."""
        return [name for image in self.engine.images.list() for name in image.names]

    def manifest(self, repository: str, tag: str) -> Manifest | None:
        """What the learner's registry holds under a tag; Unavailable if it does not answer."""
        with self.engine.connect(self.registry) as registry:
            try:
                return registry.manifest(repository, tag)
            except NotFound:
                return None

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository in the learner's registry."""
        with self.engine.connect(self.registry) as registry:
            try:
                return list(registry.tags(repository))
            except NotFound:
                return []


def names() -> list[str]:
    """The names of all checks."""
    return sorted(_CHECKS)


def run(name: str, engine: Engine, answer: Any = None, *, registry: str = "") -> Outcome:
    """Look, and say what was seen; an unknown name is an outcome too.

    `registry` is the learner's; if it is not given, it is the one that a container publishes.
    """
    name, state = str(name), State(engine, registry)
    facts: Mapping[str, str | int]
    if name not in _CHECKS:
        near = get_close_matches(name, _CHECKS, n=1, cutoff=0.4)
        return Outcome("", "unknown", {"name": name, "near": near[0] if near else names()[0]})
    try:
        key, facts = _CHECKS[name](state, answer)
    except Unavailable:
        key, facts = "no-registry", {}
    except DockerlabError as error:
        key, facts = "trouble", {"error": str(error)}
    except OSError as error:
        path = error.filename or error.filename2 or ""
        key, facts = "trouble", {"error": str(CannotWrite(path, error.errno))}
    return Outcome(name if key not in _GENERAL else "", key, {"address": state.registry, **facts})


def _check(name: str) -> Callable[[Callable[[State, Any], Seen]], Callable[[State, Any], Seen]]:
    def register(function: Callable[[State, Any], Seen]) -> Callable[[State, Any], Seen]:
        _CHECKS[name] = function
        return function

    return register


@_check("full-name")
def _full_name(state: State, answer: Any) -> Seen:
    return _named(answer, Reference.parse("hello-world"))


@_check("remote-name")
def _remote_name(state: State, answer: Any) -> Seen:
    return _named(answer, Reference.parse("10.0.0.7:5001/team/app:1.0"))


def _named(answer: Any, wanted: Reference) -> Seen:
    """Whether the answer is the full name of what is wanted, or which part is not."""
    text = str(answer or "").strip()
    if not text:
        return "empty", {}
    try:
        given = Reference.parse(text)
    except InvalidReference as error:
        return "invalid", {"text": text, "why": str(error)}
    if given != wanted:
        return f"wrong-{_first_difference(given, wanted)}", {"text": text}
    if text != str(wanted):
        return "short", {"text": text}
    return "ok", {"text": text}


@_check("where")
def _where(state: State, answer: Any) -> Seen:
    if not isinstance(answer, Mapping) or not any(str(v).strip() for v in answer.values()):
        return "empty", {}
    for name, registry in answer.items():
        wanted = Reference.parse(str(name)).registry
        if str(registry).strip().rstrip("/") != wanted:
            key = "wrong-default" if wanted == "docker.io" else "wrong-first"
            return key, {"name": str(name), "given": str(registry)}
    return "ok", {}


@_check("own-account")
def _own_account(state: State, answer: Any) -> Seen:
    image = state.image("my-image")
    others = [name for name in image.names if name.familiar != "my-image:latest"] if image else []
    mine = [n for n in others if n.registry == "docker.io" and n.namespace not in ("", "library")]
    if mine:
        return "ok", {"name": mine[0].familiar, "account": mine[0].namespace}
    if not others:
        return "nothing", {}
    if others[0].registry == "docker.io":
        return "library", {"name": others[0].familiar}
    return "registry", {"name": others[0].familiar, "registry": others[0].registry}


@_check("own-registry")
def _own_registry(state: State, answer: Any) -> Seen:
    wanted = Reference.parse(f"{REGISTRY}/team/my-image:v1")
    image = state.image("my-image")
    others = [n for n in image.names if n.familiar != "my-image:latest"] if image else []
    if wanted in state.names():
        return "ok", {"name": str(wanted)}
    local = [n for n in others if n.registry.startswith("localhost")]
    if not local:
        return "nothing", {}
    closest = max(local, key=lambda n: len(set(_parts(n)) & set(_parts(wanted))))
    return f"wrong-{_first_difference(closest, wanted)}", {"name": str(closest)}


@_check("registry-runs")
def _registry_runs(state: State, answer: Any) -> Seen:
    with state.engine.connect(state.registry) as registry:
        try:
            registry.ping()
        except Unavailable:
            raise
        except RegistryError as error:
            if error.status != 401:  # some other program, such as AirPlay on a Mac
                return "stranger", {"status": str(error.status)}
    return "ok", {}


@_check("tag")
def _tag(state: State, answer: Any) -> Seen:
    first, second = state.image("my-image"), state.image(f"{state.registry}/my-image")
    if first is None:
        return "no-image", {}
    if second is None:
        return "no-name", {}
    return ("ok" if first.id == second.id else "different"), {"id": first.id[7:19]}


@_check("push")
def _push(state: State, answer: Any) -> Seen:
    there, here = state.manifest("my-image", "latest"), state.image(f"{state.registry}/my-image")
    if there is None:
        return _missing(state, "my-image")
    if here is None:
        return "not-here", {}
    return ("ok" if _same(there, here) else "different"), {}


@_check("push-v1")
def _push_v1(state: State, answer: Any) -> Seen:
    latest, v1 = state.manifest("my-image", "latest"), state.manifest("my-image", "v1")
    if v1 is None:
        return _missing(state, "my-image:v1")
    if latest is None:
        return "no-latest", {}
    return ("ok" if latest.digest == v1.digest else "different"), {}


@_check("pull-back")
def _pull_back(state: State, answer: Any) -> Seen:
    there = state.manifest("my-image", "latest")
    here = state.image(f"{state.registry}/my-image")
    if there is None:
        return "not-there", {}
    if here is None:
        return "not-here", {}
    return ("ok" if _same(there, here) else "different"), {}


@_check("team")
def _team(state: State, answer: Any) -> Seen:
    there = state.manifest("team/my-image", "1.0")
    if there is None:
        if tags := state.tags("team/my-image"):
            return "wrong-tag", {"tag": tags[0]}
        if state.manifest("my-image", "1.0"):
            return "no-team", {}
        return _missing(state, "team/my-image:1.0")
    latest = state.manifest("my-image", "latest")
    return ("ok" if latest and latest.digest == there.digest else "different"), {}


@_check("second-version")
def _second_version(state: State, answer: Any) -> Seen:
    first, second = state.manifest("my-image", "latest"), state.manifest("my-image", "v2")
    if second is None:
        return _missing(state, "my-image:v2")
    if first is None:
        return "no-latest", {}
    if first.digest == second.digest:
        return "same", {}
    shared = len({layer.digest for layer in first.layers} & {x.digest for x in second.layers})
    return "ok", {"shared": shared, "layers": len(second.layers)}


@_check("other-host")
def _other_host(state: State, answer: Any) -> Seen:
    return _arrived(state, "my-image:latest")


@_check("other-host-v2")
def _other_host_v2(state: State, answer: Any) -> Seen:
    first, second = state.manifest("my-image", "latest"), state.manifest("my-image", "v2")
    if first and second and first.digest == second.digest:
        return "same", {}
    return _arrived(state, "my-image:v2")


@_check("from-host2")
def _from_host2(state: State, answer: Any) -> Seen:
    if state.manifest("from-host2", "latest"):
        return "ok", {}
    name = state.from_other("from-host2")
    tagged = state.image(name, state.other.engine)
    return ("not-pushed" if tagged else "not-tagged"), {"name": name}


def _arrived(state: State, image: str) -> Seen:
    """Whether the second host has what the registry holds under that name."""
    there = state.manifest(*image.split(":"))
    if there is None:
        return _missing(state, image)
    name = state.from_other(image)
    pulled = state.image(name, state.other.engine)
    if pulled is None:
        return "not-pulled", {"name": name}
    return ("ok" if _same(there, pulled) else "different"), {"name": name}


def _same(there: Manifest, here: Image) -> bool:
    """Whether the registry's image is the local one; engines differ in what they call its ID."""
    names = {there.digest, there.config.digest if there.config else ""}
    return here.id in names or there.digest in {name.digest for name in here.digests}


def _missing(state: State, name: str) -> Seen:
    """Why the registry has no `name`: nobody pushed it, or nothing here is called so."""
    tagged = state.image(f"{state.registry}/{name}")
    return ("not-pushed" if tagged else "not-tagged"), {}


def _published(engine: Engine) -> str:
    """Where the learner's registry is: port 5000, unless a container has it on another only."""
    ports: list[str] = []
    with suppress(
        DockerlabError, OSError
    ):  # a damaged container is no reason not to check an answer
        running = [
            each
            for each in engine.containers.list()
            if each.running and engine.owns(each.config["Labels"])
        ]
        bound = [line for each in running for line in each.state.ports.get("5000/tcp") or ()]
        ports = [line["HostPort"] for line in bound]
    return f"localhost:{ports[0]}" if ports and "5000" not in ports else REGISTRY


def _parts(name: Reference) -> tuple[tuple[str, str | None], ...]:
    return (
        ("registry", name.registry),
        ("namespace", name.namespace),
        ("name", name.name),
        ("tag", name.tag),
    )


def _first_difference(given: Reference, wanted: Reference) -> str:
    pairs = zip(_parts(given), _parts(wanted), strict=True)
    return next((ours[0] for ours, theirs in pairs if ours != theirs), "digest")
