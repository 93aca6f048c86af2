"""Checks of the second host."""

from __future__ import annotations

from typing import Any

from dockerlab.course.checks.state import Seen, State, check, missing, same


@check("other-host")
def _other_host(state: State, answer: Any) -> Seen:
    return _arrived(state, "my-image:latest")


@check("other-host-v2")
def _other_host_v2(state: State, answer: Any) -> Seen:
    first, second = state.manifest("my-image", "latest"), state.manifest("my-image", "v2")
    if first and second and first.digest == second.digest:
        return "same", {}
    return _arrived(state, "my-image:v2")


@check("from-host2")
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
        return missing(state, image)
    name = state.from_other(image)
    pulled = state.image(name, state.other.engine)
    if pulled is None:
        return "not-pulled", {"name": name}
    return ("ok" if same(there, pulled) else "different"), {"name": name}
