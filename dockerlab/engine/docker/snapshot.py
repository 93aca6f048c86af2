"""What the lab made on a Docker Engine, kept in files so that it can be made again.

    things.json    containers as docker inspects them, which of them ran, volumes, networks
    images.tar     the images, with their names, as `docker save` writes them
    volumes.tar    the files of the volumes that have a name, one folder each
    0-1.tar        the files of the anonymous volume that container 0 has as its mount 1

What is not in it: logs, files that a container wrote outside its volumes, and its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dockerlab.engine import state
from dockerlab.engine.docker.client import Client, Missing
from dockerlab.engine.docker.labels import LAB_LABEL, OF_IMAGES
from dockerlab.engine.docker.sweeping import sweep
from dockerlab.engine.past.problems import Stuck
from dockerlab.errors import EngineError

if TYPE_CHECKING:
    from dockerlab.engine.base import Json
    from dockerlab.engine.docker import Docker

THINGS, IMAGES, VOLUMES = "things.json", "images.tar", "volumes.tar"
_OURS = {"label": LAB_LABEL}
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_INSIDE = "/volumes"  # in the helper
_HELPER = "dockerlab-helper"  # a container that is never started, and its image
_STOPPING = 1  # seconds before it is killed


def has_any(engine: Docker) -> bool:
    """Whether the lab made anything there."""
    client = engine.client
    return bool(_containers(client) or _volumes(client) or _networks(client) or _images(client))


def take(engine: Docker, folder: Path) -> None:
    """Stop what runs, and write down all of it; EngineError or OSError if that cannot be."""
    client = engine.client
    _tidy(client)
    known = [client.inspect_container(one["Id"]) for one in _containers(client)]
    things = {
        "containers": known,
        "running": [one["Id"] for one in known if one["State"]["Running"]],
        "volumes": _volumes(client),
        "networks": _networks(client),
    }
    state.write(folder / THINGS, things)
    for name in things["running"]:
        client.stop(name, timeout=_STOPPING)
    if names := [name for image in _images(client) for name in _names(image)]:
        with (folder / IMAGES).open("wb") as target:
            engine.save(names, target)
    for number, one in enumerate(known):
        for at, place in _anonymous(one):
            _fetch(client, one["Id"], place, folder / f"{number}-{at}.tar")
    if things["volumes"]:
        with _helper(engine, things["volumes"]) as helper:
            _fetch(client, helper, _INSIDE, folder / VOLUMES)


def restore(engine: Docker, folder: Path) -> Sequence[Stuck]:
    """Let the engine have of the lab what was written down, and nothing else; what is stuck."""
    client = engine.client
    things = state.read(folder / THINGS)
    _tidy(client)
    stuck: list[Stuck] = []
    try:
        sweep(client)
    except EngineError as error:  # what cannot go stays
        stuck.append(Stuck("", str(error)))
    if (folder / IMAGES).exists():
        with (folder / IMAGES).open("rb") as source:
            engine.load(source)
    for one in things["networks"]:
        client.create_network(one["Name"], driver=one["Driver"], labels=one["Labels"])
    for one in things["volumes"]:
        client.create_volume(one["Name"], labels=one["Labels"])
    if things["volumes"]:
        with _helper(engine, things["volumes"]) as helper:
            _give(client, helper, "/", folder / VOLUMES)
    made = [(one, number) for number, one in enumerate(things["containers"])]
    for one, number in reversed(made):  # the newest comes first
        stuck += _attempt(one, partial(_make, client, one, number, folder))
    return [*stuck, *start(engine, folder)]


def start(engine: Docker, folder: Path, but: Collection[str] = ()) -> Sequence[Stuck]:
    """Start what ran when that was written down, but for some by name; what cannot."""
    try:
        things = state.read(folder / THINGS)
    except FileNotFoundError:
        return []
    _tidy(engine.client)
    stuck: list[Stuck] = []
    for one in reversed(things["containers"]):
        name = one["Name"].removeprefix("/")
        if one["Id"] in things["running"] and name not in but:
            stuck += _attempt(one, partial(engine.client.start, name))
    return stuck


def _attempt(one: Json, act: Callable[[], object]) -> Sequence[Stuck]:
    try:
        act()
    except Missing:
        return []  # it could not be made, or has gone since
    except EngineError as error:
        return [Stuck(one["Name"].removeprefix("/"), str(error))]
    return []


def _make(client: Client, one: Json, number: int, folder: Path) -> None:
    """A container as it was, with the files of its anonymous volumes, not started yet."""
    config = {**one["Config"], "HostConfig": one["HostConfig"]}
    if not _means(client, config["Image"], one["Image"]):
        config["Image"] = one["Image"]
    made = client.create_container_from_config(config, one["Name"].removeprefix("/"))
    for at, place in _anonymous(one):
        parent = str(PurePosixPath(place).parent)
        _give(client, made["Id"], parent, folder / f"{number}-{at}.tar")


def _means(client: Client, name: str, image: str) -> bool:
    try:
        return bool(client.inspect_image(name)["Id"] == image)
    except Missing:
        return False


def _containers(client: Client) -> list[Json]:
    return list(client.containers(all=True, filters=_OURS))


def _volumes(client: Client) -> list[Json]:
    return list(client.volumes(_OURS)["Volumes"] or ())


def _networks(client: Client) -> list[Json]:
    return list(client.networks(filters=_OURS))


def _images(client: Client) -> list[Json]:
    found = [one for label in OF_IMAGES for one in client.images(filters={"label": label})]
    return list({one["Id"]: one for one in found}.values())


def _names(image: Json) -> list[str]:
    return [name for name in image["RepoTags"] or () if "<none>" not in name] or [image["Id"]]


def _anonymous(one: Json) -> Iterator[tuple[int, str]]:
    """Number and place of a container's anonymous volumes."""
    for at, mount in enumerate(one["Mounts"]):
        if mount["Type"] == "volume" and _ANONYMOUS.fullmatch(mount["Name"]):
            yield at, mount["Destination"]


def _fetch(client: Client, container: str, place: str, path: Path) -> None:
    """The files of a container at a place, as a tar."""
    asked = f"/containers/{container}/archive?path={quote(place)}"
    with closing(client.ask("GET", asked)) as answer, path.open("wb") as target:
        for piece in client.pieces(answer):
            target.write(piece)


def _give(client: Client, container: str, place: str, path: Path) -> None:
    if path.exists():
        with path.open("rb") as source:
            client.put_archive(container, place, source)


@contextmanager
def _helper(engine: Docker, volumes: Sequence[Json]) -> Iterator[str]:
    """A container that has these volumes; it is never started, and gone in the end."""
    from dockerlab.errors import NoPlatform

    client: Any = engine.client
    names = [one["Name"] for one in volumes]
    try:
        engine.images.add_sample("my-image", _HELPER)
    except NoPlatform:  # any image will do
        client.tag(client.images()[0]["Id"], _HELPER, "latest", force=True)
    try:
        config = {
            "Image": _HELPER,
            "Cmd": ["none"],
            "Labels": {LAB_LABEL: "1"},
            "HostConfig": {"Binds": [f"{name}:{_INSIDE}/{name}" for name in names]},
        }
        yield client.create_container_from_config(config, _HELPER)["Id"]
    finally:
        _tidy(client)


def _tidy(client: Client) -> None:
    """Take the helper away; one of somebody who was killed, too."""
    with suppress(Missing):
        client.remove_container(_HELPER, force=True)
    with suppress(Missing):
        client.remove_image(_HELPER, noprune=True)
