"""How settings are read: YAML, overridden by REGISTRY_* variables, against a tree of dataclasses.

A file's `http: {addr: …}` and the variable REGISTRY_HTTP_ADDR are one setting. Every value is
YAML, in a variable too, as the Distribution project's registry has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

import yaml

from dockerlab.registry.values import Scalar, Wrong, boolean

PREFIX = "REGISTRY_"
FILE = "the configuration file"
_MOST = 10_000  # values; YAML's aliases can make billions out of a few lines
_NEAR = 0.8  # how alike two names are when one is a slip of the other

Path_ = tuple[str, ...]
T = TypeVar("T")


class SettingsError(ValueError):
    """A `setting`, named as whoever wrote it did, cannot be used; `reason` says why."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(setting, reason)
        self.setting, self.reason = setting, reason

    def __str__(self) -> str:
        return f"configuration error: {self.setting}: {self.reason}"

    def named(self, env: Mapping[str, str]) -> SettingsError:
        """The same, by the name of the variable if it was set there."""
        variable = PREFIX + self.setting.upper().replace(".", "_")
        return SettingsError(variable if variable in env else self.setting, self.reason)


class Tree:
    """Settings as they were written, by path: `("http", "addr")`."""

    def __init__(self, text: str, env: Mapping[str, str]) -> None:
        self._written: dict[Path_, str] = {}
        root = _parse(text, FILE)
        if not isinstance(root, dict | None):
            raise SettingsError(FILE, "not a mapping of settings")
        self._root: dict[str, Any] = root or {}
        for name in ("auth", "storage"):
            self._root[name] = _section(self._root.get(name))
        for variable in sorted(env):
            path = tuple(variable.lower().removeprefix(PREFIX.lower()).split("_"))
            if variable.startswith(PREFIX):
                self._override(variable, path, _parse(env[variable], variable))

    def name(self, path: Path_) -> str:
        """The setting's name, as it was written: a variable, or a path in the YAML file."""
        for length in range(len(path), 0, -1):
            if variable := self._written.get(path[:length]):
                inner = ".".join(path[length:])
                return f"{variable}: {inner}" if inner else variable
        return self._written.get(self.whole(path)) or ".".join(path)

    def alike(self, path: Path_, other: Path_) -> str:
        """The name of another setting, in the form in which this one was written."""
        is_variable = self.name(path).startswith(PREFIX)
        return PREFIX + "_".join(other).upper() if is_variable else ".".join(other)

    def get(self, *path: str) -> Any:
        """What was written there, if anything."""
        found: Any = self._root
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def has(self, path: Path_) -> bool:
        """Whether its name was written, with or without a value."""
        above = self.get(*path[:-1])
        return isinstance(above, dict) and path[-1] in above

    def whole(self, path: Path_) -> Path_:
        """The path of the variable that was written there or further inside."""
        return next((at for at in self._written if at[: len(path)] == path), path)

    def _override(self, variable: str, path: Path_, value: Any) -> None:
        place = self._root
        for key in path[:-1]:
            inner = place.get(key)
            if isinstance(inner, list):
                inner = {str(number): each for number, each in enumerate(inner)}
            place[key] = inner if isinstance(inner, dict) else {}
            place = place[key]
        place[path[-1]] = _section(value) if path in (("auth",), ("storage",)) else value
        self._written[path] = variable


def _section(value: Any) -> Any:
    """`auth: htpasswd` is short for `auth: {htpasswd: {}}`."""
    return {str(value): {}} if isinstance(value, Scalar) else value


class _Twice(yaml.MarkedYAMLError):
    """Our own complaint, which can be shown."""


class _Loader(yaml.SafeLoader):
    """YAML without types: every scalar is kept as it was written."""

    yaml_constructors = {}

    def scalar(self, node: yaml.ScalarNode) -> Scalar | None:
        text = Scalar(node.value)
        text.kind = node.tag.rpartition(":")[2]
        return None if text.kind == "null" else text

    def sequence(self, node: yaml.SequenceNode) -> Iterator[list[Any]]:
        made: list[Any] = []
        yield made
        made.extend(self.construct_sequence(node, deep=True))

    def mapping(self, node: yaml.MappingNode) -> Iterator[dict[str, Any]]:
        made: dict[str, Any] = {}
        yield made
        seen = set()
        for key, _ in node.value:
            if (name := self.name_of(key)) in seen:
                raise _Twice(problem=f'"{name}" twice in a section', problem_mark=key.start_mark)
            seen.add(name)
        self.flatten_mapping(node)
        for key, value in node.value:  # what was merged stands first
            made[self.name_of(key)] = self.construct_object(value, deep=True)

    def name_of(self, key: yaml.Node) -> str:
        if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":null"):
            raise yaml.MarkedYAMLError(problem_mark=key.start_mark)
        return str(key.value)


for _kind in ("str", "bool", "int", "float", "null", "timestamp", "binary", "value"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.scalar)
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _Loader.sequence)


def _parse(text: str, where: str) -> Any:
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node and _size(node, {}) > _MOST:
            raise SettingsError(where, f"has more than {_MOST} values, aliases included")
        return loader.construct_document(node) if node else None
    except (yaml.YAMLError, RecursionError) as error:  # it may quote a password
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1} is " if mark and where == FILE else ""
        said = "not YAML; quotes around a value may help"
        if isinstance(error, _Twice):
            line, said = line.replace(" is", " has"), str(error.problem)
        raise SettingsError(where, f"{line}{said}") from None


def _size(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """How many values a node has inside when each alias is replaced by what it stands for."""
    if node not in known:
        known[node] = _MOST  # an alias of itself would never end
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        pairs = (part if isinstance(part, tuple) else (part,) for part in inner)
        known[node] = 1 + sum(_size(each, known) for pair in pairs for each in pair)
    return known[node]


class Absent:
    """Marks a setting of the Distribution project's registry that this one does not have."""


class Driver:
    """Marks one that is chosen by its name alone: `auth: token`."""


def read(tree: Tree, kind: type[T], readers: Mapping[Any, Any]) -> T:
    """The dataclass `kind` from what was written; its fields' types choose who reads a value.

    A reader takes what was written and gives the value, or raises Wrong. A reader of
    `("", type)` is given the default instead, where nothing was written.
    """
    known = list(names(kind))

    def section(kind: Any, path: Path_) -> Any:
        hints = get_type_hints(kind)
        written = tree.get(*path)
        if written is not None and not isinstance(written, dict):
            ours = [name for name, hint in hints.items() if hint not in (Absent, Driver)]
            inner = ", ".join(tree.alike(path, (*path, name)) for name in ours)
            raise SettingsError(tree.name(path), f"a section, with the settings {inner}")
        for key in written or ():
            if key not in hints:
                raise _unknown(tree, tree.whole((*path, key)), known)
        values = {}
        for field in fields(kind):
            inner_path = (*path, field.name)
            if is_dataclass(hints[field.name]):
                values[field.name] = section(hints[field.name], inner_path)
            else:
                values[field.name] = value(field, hints[field.name], inner_path)
        return kind(**values)

    def value(field: Field[Any], hint: Any, path: Path_) -> Any:
        written = tree.get(*path)
        if (hint is Absent and not _is_off(written)) or (hint is Driver and tree.has(path)):
            raise SettingsError(tree.name(path), f"not supported: {field.metadata['instead']}")
        if written is None or hint is Absent:
            return usual(field, hint)
        try:
            return readers[hint](written)
        except Wrong as error:
            raise SettingsError(tree.name(path), str(error)) from None

    def usual(field: Field[Any], hint: Any) -> Any:
        if field.default_factory is not MISSING:
            return field.default_factory()
        return readers["", hint](field.default) if ("", hint) in readers else field.default

    made: T = section(kind, ())
    return made


def _is_off(value: Any) -> bool:
    """Whether a setting that we do not have is switched off, or empty."""
    if isinstance(value, dict | list):
        return all(map(_is_off, value.values() if isinstance(value, dict) else value))
    return value is None or (value.kind == "bool" and not boolean(value))


def _unknown(tree: Tree, path: Path_, known: Sequence[str]) -> SettingsError:
    dotted = ".".join(path)
    section = dotted.rpartition(".")[0]
    near = [name for name in known if name.startswith(dotted) and name.count(".") == len(path) - 1]
    near = (near if path[-1] else []) or get_close_matches(dotted.lower(), known, 1, _NEAR)
    if not near:
        inside = f" in {tree.alike(path, tuple(section.split('.')))}" if section else ""
        return SettingsError(tree.name(path), f"there is no such setting{inside}")
    meant = tree.alike(path, tuple(near[0].split(".")))
    return SettingsError(tree.name(path), f"there is no such setting; did you mean {meant}?")


def names(kind: Any, above: str = "") -> Iterator[str]:
    """The paths of all settings of a tree of dataclasses: "http.addr"."""
    for name, hint in get_type_hints(kind).items():
        yield above + name
        if is_dataclass(hint):
            yield from names(hint, f"{above}{name}.")
