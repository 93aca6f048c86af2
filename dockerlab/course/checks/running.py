"""Checks of registries that the learner runs: who answers where, and who is let in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from dockerlab.course.checks.state import NOTHING, Seen, State, check
from dockerlab.engine.container import Container
from dockerlab.engine.registries import is_registry
from dockerlab.errors import NotFound, RegistryError, Unauthorized, Unavailable
from dockerlab.image.reference import InvalidReference, Reference
from dockerlab.registry.events import parse

_TAGS = re.compile(r"/v2/(.+)/tags/list")
_LESSONS = ("nobody",)  # what the lesson itself asks for
_THIRD = "third"  # the container, and where it is to answer
_PORT = "5003"


@check("registry-runs")
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


@check("trace")
def _trace(state: State, answer: Any) -> Seen:
    running = [one for one in state.engine.containers.list() if one.running and is_registry(one)]
    if not running:
        return "no-registry", {}
    names = [name for one in running for name in _asked_in_vain(state, one)]
    right = [name for name in names if _is_repository(name)]
    if right:
        return "ok", {"name": right[-1]}
    return ("invalid", {"name": names[-1]}) if names else ("no-trace", {})


def _asked_in_vain(state: State, container: Container) -> Iterator[str]:
    """The repositories whose tags somebody wanted, by the registry's log, and that do not exist."""
    written = b"".join(piece for _is_error, piece in state.engine.containers.output(container))
    for event in parse(written.decode(errors="replace").split("\n")):
        found = _TAGS.fullmatch(unquote(event.target))
        if found and event.status in (400, 401, 404) and found[1] not in _LESSONS:
            yield found[1]


def _is_repository(name: str) -> bool:
    try:
        return Reference.parse(f"localhost/{name}").repository == name
    except InvalidReference:
        return False


@check("third-registry")
def _third_registry(state: State, answer: Any) -> Seen:
    with state.engine.connect(f"localhost:{_PORT}") as registry:
        try:
            registry.delete("nobody", NOTHING)
        except NotFound:
            return "ok", {}
        except Unavailable:
            return _why_silent(state)
        except RegistryError as error:
            return ("no-setting" if error.status == 405 else "stranger"), {
                "status": str(error.status)
            }
    return "ok", {}


def _why_silent(state: State) -> Seen:
    """What is the matter with the third container, when nobody answers at its port."""
    found = [one for one in state.engine.containers.list() if one.name == _THIRD]
    if not found:
        return "no-container", {}
    if not found[0].running:
        return "stopped", {}
    ports = sorted(found[0].published)
    return ("other-port", {"port": ports[0]}) if ports else ("no-port", {})


@check("locked")
def _locked(state: State, answer: Any) -> Seen:
    return ("open" if _lets_in(state) else "ok"), {}


@check("second-user")
def _second_user(state: State, answer: Any) -> Seen:
    given = [text.strip() for text in _pair(answer)]
    if not all(given):
        return "empty", {}
    if _lets_in(state):
        return "open", {}
    if given[0] == "rahima":
        return "first", {}
    return ("ok" if _lets_in(state, *given) else "refused"), {"user": given[0]}


def _pair(answer: Any) -> tuple[str, str]:
    """User and password, or two empty texts."""
    if isinstance(answer, tuple | list) and len(answer) == 2:
        user, password = answer
        if isinstance(user, str) and isinstance(password, str):
            return user, password
    return "", ""


def _lets_in(state: State, username: str = "", password: str = "") -> bool:
    """Whether the learner's registry does, with just these credentials."""
    from dockerlab.registry.client import Registry

    with Registry(state.registry, username=username, password=password) as registry:
        try:
            registry.ping()
        except Unauthorized as error:
            if error.status != 401:  # some other program, such as AirPlay on a Mac
                raise
            return False
    return True
