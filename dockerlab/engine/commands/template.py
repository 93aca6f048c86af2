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

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dockerlab.engine.commands.functions import FUNCTIONS, Refused, plain, true
from dockerlab.errors import EngineError

_ACTION = re.compile(
    r"\{\{(?P<left>-\s)?"
    r'(?P<body>(?:"(?:\\.|[^"\\\n])*"|`[^`]*`|/\*.*?\*/|(?!\{\{)[^"`])*?)'
    r"(?P<right>\s-)?\}\}",
    re.DOTALL,
)
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


class _Broken(Exception):
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
                parser = _Parser(self._text, text, position, self._variables)
                if parser.empty_comment:
                    continue
                keyword = parser.keyword()
                if keyword in ("else", "end"):
                    return _sequence(body), (text.strip(), position)
                body.append(self._control(keyword, parser) if keyword else parser.statement())
            except _Broken as error:
                raise self._error(position, str(error)) from None
        if inside:
            raise self._error(len(self._text), "unexpected EOF")
        return _sequence(body), None

    def _control(self, keyword: str, parser: _Parser) -> Statement:
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
                nested = _Parser(self._text, rest, closer[1], self._variables)
                otherwise = self._control(nested.keyword() or "if", nested)
            else:
                otherwise, closer = self._block(inside=True)
                if closer and closer[0] != "end":
                    raise _Broken(f"expected end; found {{{{{closer[0]}}}}}")
        make = {"if": _if, "with": _with, "range": _range}[keyword]
        return make(names, pipeline, body, otherwise)


class _Parser:
    """Reads one action."""

    def __init__(self, whole: str, text: str, offset: int, variables: set[str]) -> None:
        self._whole, self._variables = whole, variables
        self._tokens: list[Token] = []
        position, glued = 0, True
        while position < len(text):
            found = _TOKEN.match(text, position)
            if not found:
                raise _Broken(f"unexpected {_quoted(text[position])} in command")
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
            raise _Broken(f"unexpected {_quoted(token.text)} in command")

    def pipeline(self) -> Expression:
        """Commands joined by `|`; each gets the result of the one before as last argument."""
        result = self._command(None)
        while self._accept("|"):
            result = self._command(result)
        return result

    def _command(self, piped: Expression | None) -> Expression:
        token = self._peek()
        if token is None or token.text in ("|", ")"):
            raise _Broken("missing value for command")
        if token.kind == "word" and token.text not in _LITERALS:
            self._next()
            if token.text not in FUNCTIONS:
                raise _Broken(f'function "{token.text}" not defined')
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
            except (Refused, TypeError) as error:
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
                raise _Broken("unclosed left paren")
            return self._fields(token, inner)
        if token.kind == "field":
            self._tokens.insert(0, token._replace(glued=True))
            return self._fields(token, lambda scope: scope.dot)
        if token.kind == "variable":
            if token.text not in self._variables:
                raise _Broken(f'undefined variable "{token.text}"')
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
            raise _Broken("missing value for command")
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
            raise _Broken("invalid syntax") from None
    if token.kind == "raw":
        return token.text[1:-1]
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.text in _LITERALS:
        return _LITERALS[token.text]
    if token.kind == "word" and token.text in FUNCTIONS:
        raise _Broken(f"{token.text} must be called in parentheses here")
    raise _Broken(f"unexpected {_quoted(token.text)} in operand")


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


def _write(text: str) -> Statement:
    return lambda scope: scope.out.append(text)


def _print(pipeline: Expression) -> Statement:
    def show(scope: Scope) -> None:
        value = pipeline(scope)
        scope.out.append("<no value>" if value is None else plain(value))

    return show


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
