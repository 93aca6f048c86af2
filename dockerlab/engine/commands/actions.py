"""One `{{action}}` of a Go template, compiled to a closure (the grammar is in template.py)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dockerlab.engine.commands.functions import FUNCTIONS, Refused, plain
from dockerlab.errors import EngineError

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<comment>/\*.*?\*/)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<raw>`[^`]*`)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"|(?P<field>\.[^\W\d]\w*)"
    r"|(?P<dot>\.)"
    r"|(?P<variable>\$\w*)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign>:=|=|[|,()])",
    re.DOTALL,
)
_LITERALS = {"true": True, "false": False, "nil": None}
_KEYWORDS = {"if", "with", "range", "else", "end"}


class ParseError(EngineError):
    """The template breaks Go's grammar; the text starts with `template: `."""


class ExecuteError(EngineError):
    """The template asks for something that is not there; the text starts with `template: `."""


class Broken(Exception):
    """What is wrong with an action."""


class Token(NamedTuple):
    kind: str
    text: str
    position: int
    glued: bool  # no space before it


@dataclass
class Scope:
    """Where a template is while it runs."""

    dot: Any
    variables: dict[str, Any]
    out: list[str] = field(default_factory=list)
    type_name: str = ""

    def inside(self, dot: Any, **variables: Any) -> Scope:
        """A scope for a block: another dot, and variables that end with it."""
        names = {f"${name}": value for name, value in variables.items()}
        return Scope(dot, self.variables | names, self.out, self.type_name)


Expression = Callable[[Scope], Any]
Statement = Callable[[Scope], None]


class Parser:
    """Reads one action."""

    def __init__(self, whole: str, text: str, offset: int, variables: set[str]) -> None:
        self._whole, self._variables = whole, variables
        self._tokens: list[Token] = []
        position, glued = 0, True
        while position < len(text):
            found = _TOKEN.match(text, position)
            if not found:
                raise Broken(f"unexpected {_quoted(text[position])} in command")
            kind = str(found.lastgroup)
            if kind != "space":
                self._tokens.append(Token(kind, found[0], offset + position, glued))
            glued, position = kind != "space", found.end()
        self.empty_comment = [token.kind for token in self._tokens] == ["comment"]
        self._end = offset + len(text)

    @property
    def position(self) -> int:
        """Where the next token is."""
        return self._tokens[0].position if self._tokens else self._end

    def pairs(self, pipeline: Expression, start: int) -> Expression:
        """The keys and items of what `pipeline`, which starts there, gives."""
        shown = self._whole[start : self._end].strip()

        def split(scope: Scope) -> list[tuple[Any, Any]]:
            value = pipeline(scope)
            if value is None:
                return []
            if isinstance(value, Mapping):
                return sorted(value.items())
            if isinstance(value, list | tuple):
                return list(enumerate(value))
            raise self._failed(start, shown, f"range can't iterate over {plain(value)}")

        return split

    def keyword(self) -> str:
        """Take `if`, `range` … if the action starts with one."""
        token = self._peek()
        return self._next().text if token and token.text in _KEYWORDS else ""

    def statement(self) -> Statement:
        """An action that prints, or sets a variable."""
        names, pipeline = self.declaration()
        self.finish()
        if not names:
            return _print(pipeline)

        def assign(scope: Scope) -> None:
            scope.variables[names[0]] = pipeline(scope)

        return assign

    def declaration(self) -> tuple[list[str], Expression]:
        """`$x, $y :=` if it is there, and the pipeline."""
        signs = [token.text for token in self._tokens[:4]]
        count = next((at for at, sign in enumerate(signs) if sign in (":=", "=")), 0)
        names = [self._next().text for _ in range(count)][::2]
        if count:
            self._next()
        pipeline = self.pipeline()
        self._variables.update(names)
        return names, pipeline

    def finish(self) -> None:
        """Nothing may follow."""
        token = self._peek()
        if token:
            raise Broken(f"unexpected {_quoted(token.text)} in command")

    def pipeline(self) -> Expression:
        """Commands joined by `|`; each gets the result of the one before as last argument."""
        result = self._command(None)
        while self._accept("|"):
            result = self._command(result)
        return result

    def _command(self, piped: Expression | None) -> Expression:
        token = self._peek()
        if token is None or token.text in ("|", ")"):
            raise Broken("missing value for command")
        if token.kind == "word" and token.text not in _LITERALS:
            self._next()
            if token.text not in FUNCTIONS:
                raise Broken(f'function "{token.text}" not defined')
            return self._call(token, piped)
        operand = self._operand()
        arguments = self._arguments()
        if piped is not None:
            arguments.append(piped)
        if not arguments:
            return operand
        shown = self._whole[token.position : self.position].strip()

        def method(scope: Scope) -> Any:
            function = operand(scope)
            if not callable(function):
                reason = f"{token.text.lstrip('.')} is not a method but has arguments"
                raise self._failed(token.position, shown, reason)
            return function(*(argument(scope) for argument in arguments))

        return method

    def _call(self, name: Token, piped: Expression | None) -> Expression:
        arguments = self._arguments()
        shown = self._whole[name.position : self.position].strip()
        if piped is not None:
            arguments.append(piped)
        function = FUNCTIONS[name.text]

        def call(scope: Scope) -> Any:
            values = [argument(scope) for argument in arguments]
            try:
                return function(*values)
            except (Refused, TypeError, AttributeError) as error:
                reason = str(error) if isinstance(error, Refused) else "wrong arguments"
                raise self._failed(
                    name.position, shown, f"error calling {name.text}: {reason}"
                ) from None

        return call

    def _arguments(self) -> list[Expression]:
        arguments = []
        while (token := self._peek()) and token.text not in ("|", ")"):
            arguments.append(self._operand())
        return arguments

    def _operand(self) -> Expression:
        token = self._next()
        if token.text == "(":
            inner = self.pipeline()
            if not self._accept(")"):
                raise Broken("unclosed left paren")
            return self._fields(token, inner)
        if token.kind == "field":
            self._tokens.insert(0, token._replace(glued=True))
            return self._fields(token, lambda scope: scope.dot)
        if token.kind == "variable":
            if token.text not in self._variables:
                raise Broken(f'undefined variable "{token.text}"')
            return self._fields(token, lambda scope: scope.variables[token.text])
        if token.kind == "dot":
            return lambda scope: scope.dot
        value = _literal(token)
        return lambda scope: value

    def _fields(self, first: Token, source: Expression) -> Expression:
        """`source` followed by the `.Field`s that are glued to it."""
        names: list[Token] = []
        while (token := self._peek()) and token.kind == "field" and token.glued:
            names.append(self._next())
        if not names:
            return source
        last = names[-1]
        shown = self._whole[first.position : last.position + len(last.text)]

        def look(scope: Scope) -> Any:
            value = source(scope)
            for token in names:
                try:
                    value = _field(value, token.text[1:], scope)
                except Refused as error:
                    raise self._failed(last.position, shown, str(error)) from None
            return value

        return look

    def _failed(self, position: int, shown: str, reason: str) -> ExecuteError:
        line = self._whole.count("\n", 0, position) + 1
        start = self._whole.rfind("\n", 0, position) + 1
        column = len(self._whole[start:position].encode())
        return ExecuteError(f'template: :{line}:{column}: executing "" at <{shown}>: {reason}')

    def _peek(self) -> Token | None:
        return self._tokens[0] if self._tokens else None

    def _next(self) -> Token:
        if not self._tokens:
            raise Broken("missing value for command")
        return self._tokens.pop(0)

    def _accept(self, sign: str) -> bool:
        token = self._peek()
        if token is None or token.text != sign:
            return False
        self._tokens.pop(0)
        return True


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _literal(token: Token) -> Any:
    if token.kind == "string":
        try:
            return json.loads(token.text, strict=False)
        except ValueError:
            raise Broken("invalid syntax") from None
    if token.kind == "raw":
        return token.text[1:-1]
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.text in _LITERALS:
        return _LITERALS[token.text]
    if token.kind == "word" and token.text in FUNCTIONS:
        raise Broken(f"{token.text} must be called in parentheses here")
    raise Broken(f"unexpected {_quoted(token.text)} in operand")


def _field(value: Any, name: str, scope: Scope) -> Any:
    if value is None:
        raise Refused(f'nil data; no entry for key "{name}"')
    if not isinstance(value, Mapping):
        raise Refused(f"can't evaluate field {name} in type interface {{}}")
    if name not in value:
        if name == "ID" and "Id" in value:  # the Go structs say ID where the JSON says Id
            return value["Id"]
        if value is scope.variables["$"] and scope.type_name:
            raise Refused(f"can't evaluate field {name} in type {scope.type_name}")
        raise Refused(f'map has no entry for key "{name}"')
    return value[name]


def _print(pipeline: Expression) -> Statement:
    def show(scope: Scope) -> None:
        value = pipeline(scope)
        scope.out.append("<no value>" if value is None else plain(value))

    return show
