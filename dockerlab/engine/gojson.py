"""JSON as Go's library reads it: its words for what is none."""

from __future__ import annotations

import json
from typing import Any

_WORDS = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": (
        "looking for beginning of object key string"
    ),
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
}
_KINDS = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}


class Broken(Exception):
    """The text is no JSON; in Go's words."""


def parse(text: str) -> Any:
    """The first value in `text`, {} if there is none; Broken."""
    start = text.lstrip(" \t\r\n")
    if not start:
        return {}
    try:
        return json.JSONDecoder().raw_decode(start)[0]
    except RecursionError:
        raise Broken("exceeded max depth") from None
    except json.JSONDecodeError as error:
        raise Broken(_reason(error, start)) from None


def kind(value: object) -> str:
    """What Go calls a value's kind."""
    return _KINDS.get(type(value), "object")


def _reason(error: json.JSONDecodeError, text: str) -> str:
    rest = text[error.pos :].lstrip(" \t\r\n")
    if not rest or error.msg.startswith("Unterminated"):
        return "unexpected EOF"
    return f"invalid character {_quoted(rest[0])} {_where(error, text)}"


def _where(error: json.JSONDecodeError, text: str) -> str:
    if error.msg == "Expecting ',' delimiter":
        return (
            f"after {'object key:value pair' if _in_object(text, error.pos) else 'array element'}"
        )
    return _WORDS.get(error.msg, "looking for beginning of value")


def _in_object(text: str, end: int) -> bool:
    """Whether the innermost bracket that is open at `end` is a brace."""
    opened, quoted, escaped = [""], False, False
    for sign in text[:end]:
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "{[":
            opened.append(sign)
        elif sign in "}]":
            opened.pop()
    return opened[-1] == "{"


def _quoted(sign: str) -> str:
    """A character as Go quotes it: "'" is '\\''."""
    if sign == "'":
        return r"'\''"
    return "'" + json.dumps(sign, ensure_ascii=False)[1:-1].replace(r"\"", '"') + "'"
