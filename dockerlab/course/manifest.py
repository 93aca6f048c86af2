"""Manifests and image configs, field by field, each with what it says in the learner's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dockerlab.course.data import load
from dockerlab.i18n import _, digits, ngettext, pick

if TYPE_CHECKING:
    from dockerlab.image.manifest import Manifest

_MOST = 100  # lines of one value that are shown
_LONGEST = 200_000  # characters of JSON that are shown


class Field(NamedTuple):
    """A field by its own name, its value in lines, and what it says."""

    name: str
    lines: list[str]
    says: str


class Step(NamedTuple):
    """A step of an image's history, and the bytes of the layer that it made, if it made one."""

    text: str
    size: int | None


def type_of(manifest: Manifest) -> str:
    """What kind of manifest it is, or "" if nobody knows more than its own words."""
    texts = load("manifest.yaml")["types"].get(manifest.media_type)
    return pick(texts) if texts else ""


def fields(manifest: Manifest) -> list[Field]:
    """The fields of a manifest, in its own order."""
    texts = load("manifest.yaml")["manifest"]
    data = json.loads(manifest.raw)
    return [
        Field(str(name), _lines(_short(value)), pick(texts.get(name, texts["other"])))
        for name, value in data.items()
    ]


def settings(config: bytes) -> list[Field]:
    """The fields of an image's config that say how it runs; empty if it is none of an image."""
    data = _object(config)
    texts = load("manifest.yaml")["config"]
    inner = data.get("config")
    all_of_it = {**data, **(inner if isinstance(inner, dict) else {})}
    return [
        Field(name, _lines(all_of_it[name]), pick(said))
        for name, said in texts.items()
        if all_of_it.get(name) not in (None, "", [], {})
    ]


def history(config: bytes, manifest: Manifest) -> list[Step]:
    """The steps that made an image, the first one first."""
    steps = _object(config).get("history")
    layers = iter(manifest.layers)
    found = []
    for step in steps if isinstance(steps, list) else ():
        about: Mapping[str, Any] = step if isinstance(step, dict) else {}
        layer = None if about.get("empty_layer") is True else next(layers, None)
        text = str(about.get("created_by") or about.get("comment") or "?")
        found.append(Step(text, layer.size if layer else None))
    return found


def pretty(raw: bytes) -> str:
    """JSON with line breaks, cut where it is too long to read; other text as it is."""
    try:
        text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = raw.decode("utf-8", "replace")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "\n…"


def _object(config: bytes) -> dict[str, Any]:
    try:
        data = json.loads(config)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _short(value: Any) -> Any:
    """A descriptor as its digest and size; a list of them as their number."""
    from dockerlab.engine.commands.format import size

    if isinstance(value, dict) and isinstance(value.get("digest"), str):
        count = value.get("size")
        about = f" · {size(min(count, 1 << 63))}" if isinstance(count, int) else ""
        return f"{value['digest']}{about}"
    if isinstance(value, list):
        said = ngettext("{count} entry", "{count} entries", len(value))
        return digits(said.format(count=len(value)))
    return value


def _lines(value: Any) -> list[str]:
    """A value, each of its parts on a line of its own."""
    lines = [_line(part) for part in _parts(value)]
    if len(lines) > _MOST:
        rest = _("… and {count} more").format(count=len(lines) - _MOST)
        lines = [*lines[:_MOST], digits(rest)]
    return lines


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (
            name if part in ({}, None) else f"{name}={_line(part)}" for name, part in value.items()
        )
    elif isinstance(value, list):
        yield from value
    else:
        yield value


def _line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
