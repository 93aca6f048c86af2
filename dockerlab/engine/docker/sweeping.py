"""Taking away what the lab made on a Docker Engine, by its labels, and nothing else."""

from __future__ import annotations

from dockerlab.engine.docker.client import Client, Missing
from dockerlab.engine.docker.labels import LAB_LABEL, OF_IMAGES
from dockerlab.errors import EngineError


def sweep(client: Client) -> None:
    """Remove the containers, volumes and networks that the lab made, and its images.

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

    marked = {"label": LAB_LABEL}
    for one in client.containers(all=True, filters=marked):
        remove("container", one["Id"], v=True, force=True)
    for one in client.volumes(marked)["Volumes"] or ():
        remove("volume", one["Name"])
    for one in client.networks(filters=marked):
        remove("network", one["Id"])
    for label in OF_IMAGES:
        for one in client.images(filters={"label": label}):
            remove("image", one["Id"], force=True)
    if failures:
        raise failures[0]
