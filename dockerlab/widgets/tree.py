"""What a registry holds, drawn as a tree in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from dockerlab.i18n import _
from dockerlab.image import digest as digests
from dockerlab.registry.contents import Repository, Tag

_HUGE = 1 << 63  # bytes; more is a registry's joke
Node: TypeAlias = "tuple[str, list[Node]]"  # a label, and the nodes below it


def lines(repositories: Sequence[Repository], more: bool, limit: int) -> Iterator[str]:
    """Repositories, their tags, platforms and layers; `more`: there are more repositories."""
    tree: list[Node] = [(each.name, _tags(each, limit)) for each in repositories]
    if more:
        tree.append((_("… and more repositories"), []))
    return _drawn(tree)


def size(count: int) -> str:
    """Bytes as docker writes them: 1.5kB."""
    from dockerlab.engine.commands.format import size as docker_size

    return docker_size(min(count, _HUGE))


def _tags(repository: Repository, limit: int) -> list[Node]:
    if repository.trouble:
        return [(repository.trouble, [])]
    found = [(name, repository.tags.get(name)) for name in repository.names[:limit]]
    tree: list[Node] = [_node(tag) if tag else (name, []) for name, tag in found]
    return [*tree, (_("… and more tags"), [])] if len(repository.names) > limit else tree


def _node(tag: Tag) -> Node:
    if tag.trouble:
        return f"{tag.name}  {tag.trouble}", []
    below: list[Node] = []
    for image in tag.images:
        layers: list[Node] = [
            (f"{digests.short(layer.digest)}  {size(layer.size)}", []) for layer in image.layers
        ]
        below += [(f"{image.platform}  {size(image.size)}", layers)] if image.platform else layers
    return f"{tag.name}  {tag.digest}  {size(tag.size)}", below


def _drawn(nodes: list[Node], indent: str = "") -> Iterator[str]:
    for place, (label, below) in enumerate(nodes, 1):
        last = place == len(nodes)
        yield f"{indent}{'└─' if last else '├─'} {label}"
        yield from _drawn(below, indent + ("   " if last else "│  "))
