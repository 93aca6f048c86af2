"""Checks of what the learner mends in the notebook troubleshooting."""

from __future__ import annotations

from typing import Any

from dockerlab.course.checks.state import NOTHING, Seen, State, check, missing
from dockerlab.errors import NotFound, RegistryError


@check("mended-registry")
def _mended_registry(state: State, answer: Any) -> Seen:
    here = [each for each in state.engine.containers.list() if each.name == "registry"]
    if here and not here[0].running:
        return "stopped", {}
    return ("ok", {}) if state.manifest("my-image", "latest") else missing(state, "my-image")


@check("mended-name")
def _mended_name(state: State, answer: Any) -> Seen:
    there = state.manifest("team/hello", "latest")
    return ("ok", {}) if there else missing(state, "team/hello")


@check("mended-delete")
def _mended_delete(state: State, answer: Any) -> Seen:
    with state.engine.connect(state.registry) as registry:
        try:
            registry.delete("my-image", NOTHING)
        except NotFound:  # it would have deleted
            pass
        except RegistryError as error:
            if error.code != "UNSUPPORTED":
                raise
            return "refused", {}
    return ("ok" if state.manifest("my-image", "latest") else "empty"), {}
