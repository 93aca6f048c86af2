"""Checks of what a registry needs in real work."""

from __future__ import annotations

from typing import Any

from dockerlab.course import glossary
from dockerlab.course.checks.names import named
from dockerlab.course.checks.state import NOTHING, Seen, State, check
from dockerlab.engine.registries import address, registries
from dockerlab.errors import NotFound, RegistryError
from dockerlab.image.manifest import Manifest
from dockerlab.image.reference import Reference

_FILE = "/etc/docker/registry/config.yml"  # where registry:2 looks
_MEASURES = (  # of each mishap: what helps
    {"backup"},
    {"retention", "garbage-collection"},
    {"replica"},
    {"acme"},
    {"scanner"},
    {"metrics"},
)


@check("hosted-name")
def _hosted_name(state: State, answer: Any) -> Seen:
    return named(answer, Reference.parse("ghcr.io/rongdhonu/web:1.4"))


@check("config-file")
def _config_file(state: State, answer: Any) -> Seen:
    if _deletes(state):
        return "ok", {}
    ours = [each for each in registries(state.engine) if address(each) == state.registry]
    reads = any(mount["Destination"] == _FILE for each in ours for mount in each.mounts)
    return ("off" if reads else "no-file"), {}


@check("restored")
def _restored(state: State, answer: Any) -> Seen:
    copies = [one for one in registries(state.engine) if one.name == "backup" and address(one)]
    kept = _images(State(state.engine, address(copies[0]))) if copies else {}
    if not kept:
        return "no-backup", {}
    here = _images(state)
    for (repository, tag), manifest in kept.items():
        name = f"{repository}:{tag}"
        if not (back := here.get((repository, tag))):
            return ("missing" if here else "empty"), {"name": name}
        if not _same(manifest, back):
            return "different", {"name": name}
    return "ok", {"count": len(kept)}


@check("production")
def _production(state: State, answer: Any) -> Seen:
    given = answer if isinstance(answer, list | tuple) else [answer]
    words = [str(each).strip() for each in given if each is not None]
    if not any(words):
        return "empty", {}
    if len(words) != len(_MEASURES):
        return "number", {"count": len(words)}
    for number, (word, right) in enumerate(zip(words, _MEASURES, strict=True), 1):
        try:
            id = glossary.find(word).id
        except glossary.UnknownWord as error:
            return ("no-such-word" if word else "gap"), {"word": error.name, "number": number}
        if id not in right:
            return "wrong", {"word": word, "number": number}
    return "ok", {}


def _deletes(state: State) -> bool:
    """Whether the registry would delete a manifest, if it had this one."""
    with state.engine.connect(state.registry) as registry:
        try:
            registry.delete("my-image", NOTHING)
        except NotFound:
            return True
        except RegistryError as error:
            if error.status != 405:
                raise
            return False
    return True


def _images(state: State) -> dict[tuple[str, str], Manifest]:
    """All that a registry holds under a tag, by repository and tag."""
    with state.engine.connect(state.registry) as registry:
        repositories = list(registry.catalog())
    tagged = [(name, tag) for name in repositories for tag in state.tags(name)]
    found = {each: state.manifest(*each) for each in tagged}
    return {each: manifest for each, manifest in found.items() if manifest}


def _same(one: Manifest, other: Manifest) -> bool:
    """Whether it is one image; an engine may pack its layers anew."""
    configs = {each.config.digest for each in (one, other) if each.config}
    return one.digest == other.digest or len(configs) == 1
