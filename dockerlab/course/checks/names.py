"""Checks of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerlab.course.checks.state import REGISTRY, Seen, State, check
from dockerlab.image.reference import InvalidReference, Reference


@check("full-name")
def _full_name(state: State, answer: Any) -> Seen:
    return named(answer, Reference.parse("hello-world"))


@check("remote-name")
def _remote_name(state: State, answer: Any) -> Seen:
    return named(answer, Reference.parse("10.0.0.7:5001/team/app:1.0"))


@check("where")
def _where(state: State, answer: Any) -> Seen:
    if not isinstance(answer, Mapping) or not any(str(v).strip() for v in answer.values()):
        return "empty", {}
    for name, registry in answer.items():
        wanted = Reference.parse(str(name)).registry
        if str(registry).strip().rstrip("/") != wanted:
            key = "wrong-default" if wanted == "docker.io" else "wrong-first"
            return key, {"name": str(name), "given": str(registry)}
    return "ok", {}


@check("own-account")
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


@check("own-registry")
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


def named(answer: Any, wanted: Reference) -> Seen:
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
