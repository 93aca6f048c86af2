"""The part of Go's text/template that people use with docker's `--format`.

    text      = { characters | "{{" action "}}" }          "{{-" and "-}}" trim white space
    action    = [ "$x" [ "," "$y" ] ":=" ] pipeline | comment
              | "if" pipeline | "with" pipeline | "range" [ "$x" [ "," "$y" ] ":=" ] pipeline
              | "else" [ "if" pipeline ] | "end"
    pipeline  = command { "|" command }
    command   = operand | function { operand }
    operand   = "." | field { field } | "$x" { field } | literal | "(" pipeline ")" { field }

A template is compiled to closures: each takes a scope (the dot and the variables).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dockerlab.engine.commands.actions import (
    Broken,
    ExecuteError,
    Expression,
    ParseError,
    Parser,
    Scope,
    Statement,
)
from dockerlab.engine.commands.functions import true

__all__ = ["ExecuteError", "ParseError", "Template"]

_ACTION = re.compile(
    r"\{\{(?P<left>-\s)?"
    r'(?P<body>(?:"(?:\\.|[^"\\\n])*"|`[^`]*`|/\*.*?\*/|(?!\{\{)[^"`])*?)'
    r"(?P<right>\s-)?\}\}",
    re.DOTALL,
)


class Template:
    """A parsed template; ParseError if it cannot be."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._variables = {"$"}
        self._pieces = self._split(text)
        self._body, closer = self._block()
        if closer is not None:
            raise self._error(closer[1], f"unexpected {{{{{closer[0]}}}}}")

    def render(self, data: Any, type_name: str = "") -> str:
        """The text for `data`; `type_name` is what Go would call its type in an error."""
        scope = Scope(data, {"$": data}, [], type_name)
        self._body(scope)
        return "".join(scope.out)

    def _split(self, text: str) -> list[tuple[str, int, bool]]:
        """The texts and actions of the template, last first: (what, where, is an action)."""
        pieces: list[tuple[str, int, bool]] = []
        end, trim = 0, False
        for found in _ACTION.finditer(text):
            before = text[end : found.start()]
            if "{{" in before:
                break
            before = before.lstrip() if trim else before
            pieces.append((before.rstrip() if found["left"] else before, end, False))
            pieces.append((found["body"], found.start("body"), True))
            end, trim = found.end(), bool(found["right"])
        rest = text[end:]
        if "{{" in rest:
            raise self._error(end + rest.index("{{"), "unclosed action")
        pieces.append((rest.lstrip() if trim else rest, end, False))
        return pieces[::-1]

    def _error(self, position: int, reason: str) -> ParseError:
        line = self._text.count("\n", 0, position) + 1
        return ParseError(f"template: :{line}: {reason}", 64)

    def _block(self, inside: bool = False) -> tuple[Statement, tuple[str, int] | None]:
        """Statements up to the end of the text or a closing `else` or `end`."""
        body: list[Statement] = []
        while self._pieces:
            text, position, is_action = self._pieces.pop()
            if not is_action:
                body.append(_write(text))
                continue
            try:
                parser = Parser(self._text, text, position, self._variables)
                if parser.empty_comment:
                    continue
                keyword = parser.keyword()
                if keyword in ("else", "end"):
                    return _sequence(body), (text.strip(), position)
                body.append(self._control(keyword, parser) if keyword else parser.statement())
            except Broken as error:
                raise self._error(position, str(error)) from None
        if inside:
            raise self._error(len(self._text), "unexpected EOF")
        return _sequence(body), None

    def _control(self, keyword: str, parser: Parser) -> Statement:
        start = parser.position
        names, pipeline = parser.declaration()
        parser.finish()
        if keyword == "range":
            pipeline = parser.pairs(pipeline, start)
        body, closer = self._block(inside=True)
        otherwise: Statement = _sequence(())
        if closer and closer[0] != "end":
            rest = closer[0].removeprefix("else").strip()
            if rest:
                # `{{else if X}}` is an if inside the else that shares its end.
                nested = Parser(self._text, rest, closer[1], self._variables)
                otherwise = self._control(nested.keyword() or "if", nested)
            else:
                otherwise, closer = self._block(inside=True)
                if closer and closer[0] != "end":
                    raise Broken(f"expected end; found {{{{{closer[0]}}}}}")
        make = {"if": _if, "with": _with, "range": _range}[keyword]
        return make(names, pipeline, body, otherwise)


def _write(text: str) -> Statement:
    return lambda scope: scope.out.append(text)


def _sequence(body: Sequence[Statement]) -> Statement:
    def run(scope: Scope) -> None:
        for statement in body:
            statement(scope)

    return run


def _if(names: list[str], pipeline: Expression, body: Statement, otherwise: Statement) -> Statement:
    def run(scope: Scope) -> None:
        value = pipeline(scope)
        inner = scope.inside(scope.dot, **{name[1:]: value for name in names})
        (body if true(value) else otherwise)(inner)

    return run


def _with(
    names: list[str], pipeline: Expression, body: Statement, otherwise: Statement
) -> Statement:
    def run(scope: Scope) -> None:
        value = pipeline(scope)
        if true(value):
            body(scope.inside(value, **{name[1:]: value for name in names}))
        else:
            otherwise(scope.inside(scope.dot))

    return run


def _range(
    names: list[str], pipeline: Expression, body: Statement, otherwise: Statement
) -> Statement:
    def run(scope: Scope) -> None:
        pairs = pipeline(scope)
        for key, item in pairs:
            both = (key, item) if len(names) == 2 else (item,)
            body(scope.inside(item, **{n[1:]: v for n, v in zip(names, both, strict=False)}))
        if not pairs:
            otherwise(scope.inside(scope.dot))

    return run
