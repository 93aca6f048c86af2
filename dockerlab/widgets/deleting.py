"""Deleting a tag in the registry browser: first what else would go, then a clear yes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockerlab.errors import DockerlabError, NotFound, RegistryError, Unavailable
from dockerlab.i18n import _
from dockerlab.registry.deletion import Deletion
from dockerlab.widgets.asking import Asking

if TYPE_CHECKING:
    from dockerlab.registry.client import Registry
    from dockerlab.registry.contents import Contents

_OFF = 405


class Deleting(Asking):
    """The part of the registry browser that deletes; `is_off` when the registry lets nobody."""

    contents: Contents
    deletion: Deletion | None = None
    is_off = is_deleting = False

    def place(self, key: str) -> Any:
        """Repository, tag and manifest that a key stands for."""
        raise NotImplementedError

    def on_ask_delete(self, value: Any) -> None:
        """Ask for a yes, and look what else would go."""
        if place := self.place(str(value)):
            deletion = self.deletion = Deletion(place[0], place[1])
            self.is_off = False
            self.ask(lambda registry: self._carefully(deletion.check, registry))

    def on_keep(self, _value: Any) -> None:
        """Delete nothing."""
        self.deletion = None

    def on_delete(self, value: Any) -> None:
        """Delete the tag; or "all": its manifest with all its tags."""
        deletion = self.deletion
        if deletion is None or deletion.twins is None or self.is_deleting:
            return
        self.is_deleting = True

        def work(registry: Registry) -> None:
            try:
                self._carefully(lambda client: self._delete(deletion, client, value), registry)
                self.contents.list_tags(registry, deletion.repository)
            finally:
                self.is_deleting = False

        self.ask(work)

    def _delete(self, deletion: Deletion, registry: Registry, value: Any) -> None:
        if not deletion.carry_out(registry, whole=value == "all"):
            return
        self.deletion = None
        gone = [deletion.tag]
        if deletion.whole and deletion.twins:
            gone += deletion.twins.names
        self.notice = _(
            "Gone from {repository}: {tags}. The layers stay on the registry's disk until its "
            "garbage is collected."
        ).format(repository=deletion.repository, tags=", ".join(gone))

    def _carefully(self, work: Callable[[Registry], object], registry: Registry) -> None:
        """What a registry says against it is said beside what it holds, not instead of it."""
        try:
            work(registry)
        except Unavailable:
            raise
        except NotFound:
            self.deletion = None
            self.notice = _("This tag is gone already.")
        except DockerlabError as error:
            self.is_off = isinstance(error, RegistryError) and error.status == _OFF
            if not self.is_off:
                self.deletion = None
                self.alert = error.message()
