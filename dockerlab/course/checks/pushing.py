"""Checks of what was tagged, pushed and pulled."""

from __future__ import annotations

from typing import Any

from dockerlab.course.checks.state import Seen, State, check, missing, same


@check("tag")
def _tag(state: State, answer: Any) -> Seen:
    first, second = state.image("my-image"), state.image(f"{state.registry}/my-image")
    if first is None:
        return "no-image", {}
    if second is None:
        return "no-name", {}
    return ("ok" if first.id == second.id else "different"), {"id": first.id[7:19]}


@check("push")
def _push(state: State, answer: Any) -> Seen:
    there, here = state.manifest("my-image", "latest"), state.image(f"{state.registry}/my-image")
    if there is None:
        return missing(state, "my-image")
    if here is None:
        return "not-here", {}
    return ("ok" if same(there, here) else "different"), {}


@check("push-v1")
def _push_v1(state: State, answer: Any) -> Seen:
    latest, v1 = state.manifest("my-image", "latest"), state.manifest("my-image", "v1")
    if v1 is None:
        return missing(state, "my-image:v1")
    if latest is None:
        return "no-latest", {}
    return ("ok" if latest.digest == v1.digest else "different"), {}


@check("pull-back")
def _pull_back(state: State, answer: Any) -> Seen:
    there = state.manifest("my-image", "latest")
    here = state.image(f"{state.registry}/my-image")
    if there is None:
        return "not-there", {}
    if here is None:
        return "not-here", {}
    return ("ok" if same(there, here) else "different"), {}


@check("team")
def _team(state: State, answer: Any) -> Seen:
    there = state.manifest("team/my-image", "1.0")
    if there is None:
        if tags := state.tags("team/my-image"):
            return "wrong-tag", {"tag": tags[0]}
        if state.manifest("my-image", "1.0"):
            return "no-team", {}
        return missing(state, "team/my-image:1.0")
    latest = state.manifest("my-image", "latest")
    return ("ok" if latest and latest.digest == there.digest else "different"), {}


@check("second-version")
def _second_version(state: State, answer: Any) -> Seen:
    first, second = state.manifest("my-image", "latest"), state.manifest("my-image", "v2")
    if second is None:
        return missing(state, "my-image:v2")
    if first is None:
        return "no-latest", {}
    if first.digest == second.digest:
        return "same", {}
    shared = len({layer.digest for layer in first.layers} & {x.digest for x in second.layers})
    return "ok", {"shared": shared, "layers": len(second.layers)}
