"""The functions of docker's templates: those of Go, and docker's own (json, join, upper …)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dockerlab.engine.commands.format import Fields, Title, go_json

_VERB = re.compile(r"%([-+ 0#]*\d*(?:\.\d+)?)([a-zA-Z%])")


class Refused(Exception):
    """What a function or a field says when it cannot be evaluated."""


def plain(value: Any) -> str:
    """A value as Go prints it: `true`, `[a b]`, `map[k:v]`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = " ".join(f"{key}:{plain(item)}" for key, item in sorted(value.items()))
        return f"map[{pairs}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(plain(item) for item in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def true(value: Any) -> bool:
    """Whether Go's `if` takes a value for true: not nil, false, 0 or empty."""
    return bool(value)


def _and(*values: Any) -> Any:
    return next((value for value in values if not true(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if true(value)), values[-1])


def _len(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | list | tuple):
        return len(value)
    raise Refused(f"len of type {_type(value)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list | tuple | str):
            if not isinstance(key, int) or not 0 <= key < len(value):
                raise Refused(f"index out of range: {plain(key)}")
            value = value[key]
        else:
            raise Refused("index of untyped nil" if value is None else "can't index item")
    return value


def _slice(value: Any, *ends: int) -> Any:
    for end in ends:
        if not isinstance(end, int) or not 0 <= end <= len(value):
            raise Refused(f"index out of range: {plain(end)}")
    return value[slice(*ends)] if len(ends) > 1 else value[ends[0] :] if ends else value


def _print(*values: Any) -> str:
    # Go puts a space between two values of which neither is a string.
    parts: list[str] = []
    for before, value in zip((None, *values), values, strict=False):
        if parts and not isinstance(before, str) and not isinstance(value, str):
            parts.append(" ")
        parts.append(plain(value))
    return "".join(parts)


def _println(*values: Any) -> str:
    return " ".join(plain(value) for value in values) + "\n"


def _printf(pattern: str, *values: Any) -> str:
    rest = list(values)

    def fill(found: re.Match[str]) -> str:
        width, verb = found.groups()
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        return _verb(width, verb, rest.pop(0))

    return _VERB.sub(fill, pattern)


def _verb(width: str, verb: str, value: Any) -> str:
    if verb in "dxXobcfeg" and isinstance(value, int | float) and not isinstance(value, bool):
        if verb == "b":
            return f"{value:b}"
        return f"%{width}{verb}" % (value if verb in "feg" else int(value))
    if verb == "q":
        return f"%{width}s" % go_json(plain(value))
    if verb in "sv" or (verb == "t" and isinstance(value, bool)):
        return f"%{width}s" % plain(value)
    return f"%!{verb}({_type(value)}={plain(value)})"


def _equal(first: Any, *others: Any) -> bool:
    return any(type(first) is type(other) and first == other for other in others)


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(first: Any, second: Any) -> bool:
        if isinstance(first, str) is not isinstance(second, str):
            raise Refused("incompatible types for comparison")
        return test(first, second)

    return compare


def _json(value: Any) -> str:
    if isinstance(value, Title):
        return value
    if isinstance(value, Fields):
        plain_fields = {key: item for key, item in sorted(value.items()) if not callable(item)}
        return go_json(plain_fields, html=True)
    return go_json(value)


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _type(value: Any) -> str:
    names = {str: "string", bool: "bool", int: "int", float: "float64"}
    return names.get(type(value), "interface {}")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": _and,
    "or": _or,
    "not": lambda value: not true(value),
    "len": _len,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "println": _println,
    "printf": _printf,
    "eq": _equal,
    "ne": lambda first, second: not _equal(first, second),
    "lt": _compare(lambda first, second: first < second),
    "le": _compare(lambda first, second: first <= second),
    "gt": _compare(lambda first, second: first > second),
    "ge": _compare(lambda first, second: first >= second),
    "json": _json,
    "split": lambda text, separator: text.split(separator),
    "join": lambda texts, separator: separator.join(plain(text) for text in texts),
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "pad": _pad,
    "truncate": lambda text, length: text[:length],
}
