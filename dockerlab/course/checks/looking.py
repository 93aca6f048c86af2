"""Checks of looking into a registry that a lesson finds running, and of running what is in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from dockerlab.course.checks.state import Seen, State, check, missing, same
from dockerlab.errors import Unavailable

APP, OTHER = "hello-registry", "my-image"  # repositories that the lesson's registry holds
Look = Callable[[State, Any], Seen]


def prepared(look: Look) -> Look:
    """A registry that is down is one that the lesson has started and will start again."""

    @wraps(look)
    def see(state: State, answer: Any) -> Seen:
        try:
            return look(state, answer)
        except Unavailable:
            return "gone", {}

    return see


@check("count-repositories")
@prepared
def _count_repositories(state: State, answer: Any) -> Seen:
    text = str("" if answer is None else answer).strip()
    with state.engine.connect(state.registry) as registry:
        names = list(registry.catalog())
    if not text:
        return "empty", {}
    if not text.isdecimal():
        return "no-number", {"text": text}
    tags = sum(len(state.tags(name)) for name in names)
    if int(text) == len(names):
        return "ok", {"count": len(names), "tags": tags}
    return ("tags" if int(text) == tags else "wrong"), {"given": int(text)}


@check("same-image")
@prepared
def _same_image(state: State, answer: Any) -> Seen:
    tag = str("" if answer is None else answer).strip().rpartition(":")[2]
    latest = state.manifest(OTHER, "latest")
    if not tag:
        return "empty", {}
    if tag == "latest":
        return "itself", {}
    there = state.manifest(OTHER, tag) if tag in state.tags(OTHER) else None
    if latest is None or there is None:
        return "no-such", {"tag": tag}
    return ("ok" if there.digest == latest.digest else "different"), {"tag": tag}


@check("run-from-registry")
@prepared
def _run_from_registry(state: State, answer: Any) -> Seen:
    there, name = state.manifest(OTHER, "2.0"), f"{state.registry}/{OTHER}"
    here = state.image(f"{name}:2.0")
    if there and here:
        return ("ok" if same(there, here) else "different"), {}
    found = [known for known in state.names() if known.locator == name]
    return ("other-tag", {"tag": found[0].tag or ""}) if found else ("not-here", {})


@check("release")
@prepared
def _release(state: State, answer: Any) -> Seen:
    new = state.manifest(APP, "3.0")
    if new is None:
        return missing(state, f"{APP}:3.0")
    known = [state.manifest(APP, tag) for tag in ("1.0", "2.0")]
    if any(old and old.config == new.config for old in known):
        return "old", {}
    return "ok", {"tags": len(state.tags(APP))}
