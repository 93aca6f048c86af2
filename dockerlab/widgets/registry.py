"""A registry opened up: repositories, tags, manifests, layers and sizes, as they are right now."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

from dockerlab.course import manifest as explaining
from dockerlab.i18n import _, digits, ngettext
from dockerlab.image import digest as digests
from dockerlab.image.grammar import DOMAIN, PATH
from dockerlab.registry.contents import ATTESTATION, Contents, Repository, Tag
from dockerlab.widgets.deleting import Deleting
from dockerlab.widgets.html import render
from dockerlab.widgets.tree import lines, size

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.image.manifest import Manifest
    from dockerlab.registry.client import Registry

__all__ = ["RegistryView", "look", "size"]

LIMIT = 50  # repositories shown, and tags of each
FEW = 12  # repositories that are opened at once
DETAILS = 100  # manifests that are fetched without being asked for
CHECKS = 20  # tags that are looked at again, at most, each time
PATIENCE = 2.0  # seconds that a cell waits for a registry
SECONDS = (2, 60)  # between two looks: at least, and at most


class RegistryView(Deleting):
    """What the registry at `address` holds; what was opened is looked at again and again.

    `opened` are the repositories that are open, each with how many of its tags are shown;
    `sections` what is shown of each manifest that is open, by its key: `NAME:TAG`, or of an
    image for one of several platforms, `NAME:TAG@DIGEST`.
    """

    template = "registry"

    def __init__(self, address: str, engine: Engine | None = None, limit: int = LIMIT) -> None:
        self.address, self.limit = address, limit
        self.contents = Contents()
        self.query, self.shown = "", limit
        self.visited: list[str] = []
        self.opened: dict[str, int] = {}
        self.sections: dict[str, str] = {}
        self.seconds = SECONDS[0]
        self.engine = engine
        self._first, self._turn = threading.Event(), 0

    def html(self, live: bool = False) -> str:
        """The template, filled in."""
        return render(
            self.template,
            view=self,
            live=live,
            size=size,
            short=digests.short,
            visible=visible,
            about=explaining,
            attestation=ATTESTATION,
            holders=self.contents.holders(),
        ).strip()

    def __repr__(self) -> str:
        if self.problem:
            return f"{self.address}\n{self.problem}"
        if self.is_waiting:
            return f"{self.address}\n{self.waiting}"
        names = self.contents.names
        if not names:
            nothing = _("No repositories yet. What you push appears here.")
            return "\n".join([self.address, *self.warned, nothing])
        first = [self.contents.repository(name) for name in names[: self.limit]]
        tree = lines(first, len(names) > self.limit, self.limit)
        return "\n".join([self.address, *self.warned, *tree])

    @property
    def warned(self) -> list[str]:
        """The warnings as lines for the learner."""
        return [_("The registry warns: {text}").format(text=text) for text in self.warnings]

    @property
    def is_waiting(self) -> bool:
        """Whether there was no answer yet at all."""
        return self.asking and not self._first.is_set()

    @property
    def waiting(self) -> str:
        """What to say meanwhile."""
        return _("Still asking {address}…").format(address=self.address)

    @property
    def compared(self) -> str:
        """With how much the layers of a manifest were compared; or ""."""
        looked_at = sum(len(each.tags) for each in list(self.contents.repositories.values()))
        if not looked_at:
            return ""
        said = ngettext(
            "Looked for the same layers in {count} tag: what was opened so far, no more.",
            "Looked for the same layers in {count} tags: what was opened so far, no more.",
            looked_at,
        )
        return digits(said.format(count=looked_at))

    @property
    def found(self) -> list[str]:
        """The names of repositories that hold what is searched for."""
        query = self.query.casefold()
        names, visited = self.contents.names, self.visited
        unlisted = [name for name in visited if name not in names]
        return [name for name in (*unlisted, *names) if query in name.casefold()]

    @property
    def is_visitable(self) -> bool:
        """Whether what is searched for may be a repository that is not in the list."""
        return bool(PATH.fullmatch(self.query)) and self.query not in self.found

    def tags(self, repository: Repository, limit: int = 0) -> list[tuple[str, Tag | None]]:
        """The tags of it that are shown, with what is known of them."""
        limit = self.opened.get(repository.name) or limit or self.limit
        return [(name, repository.tags.get(name)) for name in repository.names[:limit]]

    def begin(self) -> None:
        """Look at the registry, and wait a moment for what comes of it."""
        if not DOMAIN.fullmatch(self.address):
            self.problem = _("That is not the address of a registry. Write it like localhost:5000.")
            return
        self.asking = True
        self.in_background(self.look)
        self._first.wait(PATIENCE)

    def handle(self, name: str, value: Any) -> None:
        """Do what the learner asked for; what was said before is then history."""
        if name != "refresh":
            self.notice = self.alert = ""
        super().handle(name, value)

    def on_search(self, value: Any) -> None:
        """Show the repositories with this in their names."""
        self.query, self.shown = str(value).strip(), self.limit

    def on_more(self, _value: Any) -> None:
        """Show more repositories."""
        self.shown += self.limit

    def on_visit(self, value: Any) -> None:
        """Open a repository that the registry does not list."""
        self.visited.append(str(value))
        self.on_repository(value)

    def on_repository(self, value: Any) -> None:
        """Open a repository, or close it."""
        name = str(value)
        if self.opened.pop(name, None) is None:
            self.on_tags(name)

    def on_tags(self, value: Any) -> None:
        """Show the tags of a repository, or more of them."""
        name = str(value)
        count = self.opened[name] = self.opened.get(name, 0) + self.limit

        def work(registry: Registry) -> None:
            self.contents.list_tags(registry, name)
            self.show()
            shown = time.monotonic()
            for tag in self.contents.repository(name).names[:count]:
                if tag not in self.contents.repository(name).tags:
                    self.contents.look(registry, name, tag)
                if time.monotonic() > shown + 0.3:
                    shown = time.monotonic()
                    self.show()

        self.ask(work)

    def on_panel(self, value: Any) -> None:
        """Open a manifest, or close it."""
        key = str(value)
        if self.sections.pop(key, None) is None and (place := self.place(key)):
            name, tag, manifest = place
            self.sections[key] = "manifest" if manifest and manifest.is_index else "layers"
            if manifest is None:
                self.ask(lambda registry: self.contents.look(registry, name, tag))

    def on_section(self, value: Any) -> None:
        """Show another side of a manifest: layers, config, history, manifest or raw."""
        section, _space, key = str(value).partition(" ")
        place = self.place(key)
        if place is None or key not in self.sections:
            return
        self.sections[key] = section
        name, _tag, manifest = place
        if manifest and section in ("config", "history"):
            self.ask(lambda registry: self.contents.look_at_config(registry, name, manifest))

    def on_refresh(self, _value: Any) -> None:
        """Look again at what is open, with as few requests as will do."""
        if not self.asking and self.may_be_let_in:
            self.asking = True
            self.in_background(self.look)

    def place(self, key: str) -> tuple[str, str, Manifest | None] | None:
        """Repository, tag and manifest that a key stands for; None if there is nothing there."""
        whole, _at, digest = key.partition("@")
        name, _colon, tag = whole.rpartition(":")
        repository = self.contents.repositories.get(name)
        if repository is None or tag not in repository.names:
            return None
        known = repository.tags.get(tag)
        inner = {image.manifest.digest: image.manifest for image in known.images} if known else {}
        return name, tag, inner.get(digest) if digest else known.manifest if known else None

    def look(self) -> None:
        """Ask for what there is, and once more for what is open."""
        began, before = time.monotonic(), set(self.contents.names)
        opened = [name for name in self.opened if name in before or name in self.visited]
        try:
            with self.client() as registry:
                for _page in self.contents.list_names(registry):
                    self._arrived(registry, before)
                    self.show()
                self._arrived(registry, before)
                self._check(registry, opened)
        finally:
            self.asking = False
            self._first.set()
        least, most = SECONDS
        self.seconds = int(min(most, max(least, 5 * (time.monotonic() - began))))

    def _arrived(self, registry: Registry, before: set[str]) -> None:
        """Open what is new, where there is little."""
        names = self.contents.names
        new = [name for name in names[: self.limit] if name not in before]
        before.update(names)
        budget = DETAILS if len(names) <= FEW else 0
        for name in new if budget else ():
            self.contents.list_tags(registry, name)
            self.opened[name] = self.limit
            for tag in self.contents.repository(name).names[: self.limit]:
                if budget > 0:
                    self.contents.look(registry, name, tag)
                    seen = self.contents.repository(name).tags.get(tag)
                    budget -= len(seen.images) + 1 if seen else 1
        self.warnings, self.problem, self.locked = registry.warnings, "", False
        self._first.set()

    def _check(self, registry: Registry, opened: list[str]) -> None:
        """Look again at these repositories, and at some of their tags, in turn."""
        due = []
        for name in opened:
            self.contents.list_tags(registry, name)
            count = self.opened.get(name, 0)
            due += [(name, tag) for tag in self.contents.repository(name).names[:count]]
        if due:
            start = self._turn % len(due)
            for name, tag in (due[start:] + due[:start])[:CHECKS]:
                self.contents.check(registry, name, tag)
            self._turn = start + CHECKS


def look(address: str, engine: Engine | None = None, *, limit: int = LIMIT) -> RegistryView:
    """Ask the registry at `address` for what it holds; a registry in trouble is shown as such.

    `engine` lends its logins and its trust: without it, it is nobody that asks, and trusts nobody.
    """
    view = RegistryView(re.sub("^https?://", "", str(address).strip()).rstrip("/"), engine, limit)
    view.begin()
    return view


def visible(text: str) -> str:
    """A name as it is, but that nothing in it can hide or turn other text around."""
    return "".join(
        sign if sign.isprintable() or sign in "\u200c\u200d" else f"\\u{ord(sign):04x}"
        for sign in text
    )
