"""All packages that a package needs on some machine, those which others need included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Environment = dict[str, str]  # what the markers of requirements ask about


@dataclass(frozen=True)
class Package:
    """A package at one version, with what it needs: its Requires-Dist."""

    name: str
    version: str
    requires: tuple[str, ...]


Fetch = Callable[[Iterable[Requirement]], Iterable[Package]]


class Conflict(Exception):
    """The version that was found does not do for all who need the package; says so in English."""


def needed(root: Package, environment: Environment, fetch: Fetch) -> dict[str, Package]:
    """All of it by name, the root included; `fetch` gets each package once, many at a time."""
    found = {root.name: root}
    done: set[tuple[str, str]] = {(root.name, "")}
    asked = list(_requirements(root, environment, ""))
    while asked:
        new: dict[str, Requirement] = {}
        for each in asked:
            name = canonicalize_name(each.name)
            if name not in found:
                known = new.setdefault(name, each)
                known.specifier &= each.specifier
        if new:
            found |= {canonicalize_name(each.name): each for each in fetch(new.values())}
        further: list[Requirement] = []
        for each in asked:
            package = found[canonicalize_name(each.name)]
            if not each.specifier.contains(package.version, prereleases=True):
                raise Conflict(f"{each} is needed, and there is {package.version}")
            for extra in ("", *sorted(each.extras)):
                if (package.name, extra) not in done:
                    done.add((package.name, extra))
                    further += _requirements(package, environment, extra)
        asked = further
    return found


def _requirements(package: Package, environment: Environment, extra: str) -> Iterator[Requirement]:
    for text in package.requires:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({**environment, "extra": extra}):
            yield requirement
