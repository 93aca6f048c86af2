"""Taking away what the lab made on a Docker Engine, by its labels, and nothing else."""

from __future__ import annotations

from dockerlab.engine.docker.client import Client, Missing
from dockerlab.engine.docker.labels import OURS
from dockerlab.errors import EngineError


def sweep(client: Client) -> None:
    """Remove containers, volumes, networks and images that bear one of the lab's labels.

    What cannot go stays, and the first reason is told when all else is gone.
    """
    failures: list[EngineError] = []

    def remove(kind: str, name: str, **how: bool) -> None:
        try:
            getattr(client, f"remove_{kind}")(name, **how)
        except Missing:
            pass  # it went with something else
        except EngineError as error:
            failures.append(error)

    for marked in [{"label": label} for label in OURS]:
        for one in client.containers(all=True, filters=marked):
            remove("container", one["Id"], v=True, force=True)
        for one in client.volumes(marked)["Volumes"] or ():
            remove("volume", one["Name"])
        for one in client.networks(filters=marked):
            remove("network", one["Id"])
        for one in client.images(filters=marked):
            remove("image", one["Id"], force=True)
    if failures:
        raise failures[0]
