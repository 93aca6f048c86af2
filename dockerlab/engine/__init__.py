"""What carries out a docker command: a Docker Engine if one answers, else the course's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockerlab.errors import UnknownEngine

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.engine.docker.finding import Found

DOCKER, EMBEDDED = "docker", "embedded"

_PATIENCE = 5.0  # seconds for a Docker Engine that must be there
_NAMING = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_engines: dict[object, Engine] = {}
_found: dict[object, Found] = {}


def current() -> Engine:
    """The engine of this process, chosen when it is first asked for.

    NoDocker if DOCKERLAB_ENGINE asks for a Docker Engine and none answers; it is looked for again
    each time then. UnknownEngine if it asks for something else.
    """
    asked = wanted()
    there = found() if asked != EMBEDDED else None
    if there and there.address:
        from dockerlab.engine.docker import Docker

        return _engines.setdefault(there.address, Docker(there.address))
    if there and asked:
        from dockerlab.engine.docker.problems import NoDocker

        raise NoDocker(there.problems)
    from dockerlab.engine.embedded import Embedded
    from dockerlab.engine.home import home

    root = home()
    return _engines.setdefault(root, Embedded(root))


def hosts(engine: Engine | None = None) -> list[Engine]:
    """All docker hosts of the lab; beside a Docker Engine those of the embedded engine too."""
    from dockerlab.engine.embedded import Embedded

    engine = engine or current()
    own = [] if isinstance(engine, Embedded) else Embedded().hosts()
    return [*{host.place: host for host in (*engine.hosts(), *own)}.values()]


def wanted() -> str:
    """The engine that DOCKERLAB_ENGINE demands: "docker", "embedded", or "" for either."""
    asked = os.environ.get("DOCKERLAB_ENGINE", "")
    if asked not in ("", DOCKER, EMBEDDED):
        raise UnknownEngine(asked)
    return asked


def found() -> Found:
    """What was found where Docker Engines may be; remembered as long as nothing else is named."""
    from dockerlab.engine.docker import finding

    key = tuple(map(os.environ.get, (*_NAMING, "DOCKER_CONFIG")))
    forced = wanted() == DOCKER
    if key not in _found or (forced and not _found[key].address):
        _found[key] = finding.find(_PATIENCE if forced else finding.PATIENCE)
    return _found[key]


def forget() -> None:
    """Look for an engine anew when the next one is asked for."""
    _found.clear()
