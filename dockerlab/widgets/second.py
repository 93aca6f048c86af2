"""What a notebook shows of the second docker host, and what it can tell its daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dockerlab.engine.embedded import Embedded
from dockerlab.engine.second import SecondHost
from dockerlab.i18n import _
from dockerlab.widgets.html import render
from dockerlab.widgets.outcome import Note


class SecondHostView:
    """The second host as rows; `first` is the address at which it finds the first one."""

    def __init__(self, host: SecondHost, engine: str) -> None:
        self._host, self._engine = host, engine
        self.first = host.first

    def configure(self, settings: Mapping[str, Any]) -> Note:
        """Put settings into the daemon.json of the second host; EngineError in docker's words."""
        told = json.dumps(settings, ensure_ascii=False)
        if not isinstance(self._host.engine, Embedded):
            said = _(
                "host2 is a machine of your own, and the course changes nothing there. Write "
                "{settings} into /etc/docker/daemon.json on it, then restart its Docker: "
                "sudo systemctl restart docker"
            )
            return Note(said.format(settings=told))
        self._host.engine.daemon.configure(settings)
        return Note(_("The daemon.json of host2 now says: {settings}").format(settings=told))

    def __repr__(self) -> str:
        return "\n".join(f"{label}: {value}" for label, value in self._rows())

    def _repr_html_(self) -> str:
        return render("lab", rows=self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        own = self._host.own
        who = (
            _("host2, your docker context ({url})").format(url=own.url)
            if own
            else _("host2, played by the course's own engine")
        )
        rows = [(_("Second host"), who)]
        if own is None and self._engine == "docker":
            real = _(
                "if you have another machine with Docker, type "
                "docker context create host2 --docker host=ssh://YOU@MACHINE in a terminal"
            )
            rows.append((_("A real one"), real))
        return [*rows, (_("This machine, seen from there"), self.first)]
