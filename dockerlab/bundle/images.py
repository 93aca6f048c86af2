"""The images that a bundle carries for a Docker Engine; the course's own engine needs none.

Its sample images are made by code, and need no carrying either.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dockerlab.bundle.manifest import Carried, architecture
from dockerlab.bundle.mistakes import NoImages, Unreadable
from dockerlab.bundle.opening import Bundle
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.engine.docker import Docker

REGISTRIES = ("registry:2", "registry:3")


def carry(folder: Path, archives: Iterable[Path]) -> Iterator[tuple[Path, Carried]]:
    """The files to put into a bundle: those given, and the real registries that can be had here.

    What is made for that is put into `folder`. NoImages, Unreadable.
    """
    names: set[str] = set()
    for path in archives:
        carried = described(path)
        names |= set(carried.images)
        yield path, carried
    for path in _registries(folder, [name for name in REGISTRIES if name not in names]):
        yield path, described(path)


def described(path: Path) -> Carried:
    """What is in a file of docker save."""
    try:
        with tarfile.open(path) as archive:
            listed = json.loads(_member(archive, "manifest.json"))
            configs = [json.loads(_member(archive, each["Config"])) for each in listed]
            images = {
                str(name): tuple(map(str, config["rootfs"]["diff_ids"]))
                for each, config in zip(listed, configs, strict=True)
                for name in each["RepoTags"] or ()
            }
            machines = {architecture(config["architecture"]) for config in configs}
            for layer in {layer for each in listed for layer in each["Layers"]}:
                archive.getmember(layer)
    except OSError as error:
        raise Unreadable(path, error.errno) from None
    except (tarfile.TarError, EOFError, ValueError, TypeError, KeyError):
        raise NoImages(path) from None
    if not images:
        raise NoImages(path)
    name = re.sub(r"[^a-zA-Z0-9.]+", "-", min(images)).strip("-.")
    return Carried(f"images/{name}.tar", machines.pop(), dict(sorted(images.items())))


def offer(bundle: Bundle, say: Callable[[str], None]) -> None:
    """Load the images into the Docker Engine, if one answers; no name of the learner's moves."""
    from dockerlab.engine import current

    if not bundle.manifest.images:
        say(_("There are no images in the bundle."))
        return
    engine = _docker(current())
    if engine is None:
        said = _(
            "The bundle's images are for a Docker Engine, and the course runs on its own engine "
            "here, which needs none. Load the bundle again if you install Docker."
        )
        say(said)
        return
    for carried in bundle.manifest.images:
        say(_loaded(bundle, carried, engine))


def _loaded(bundle: Bundle, carried: Carried, engine: Docker) -> str:
    there = {name: _layers(engine, name) for name in carried.images}
    names = ", ".join(carried.images)
    others = [name for name, had in there.items() if had and had != carried.images[name]]
    if others:
        return _(
            "You have another image called {names}; it stays as it is. To take the bundle's "
            "instead: docker image rm {names}, then load the bundle again."
        ).format(names=" ".join(others))
    if all(there.values()):
        return _("Docker has {names} already.").format(names=names)
    if architecture(engine.client.version()["Arch"]) != carried.architecture:
        return _("{names} is for another kind of machine ({architecture}); left out.").format(
            names=names, architecture=carried.architecture
        )
    with TemporaryDirectory() as folder:
        for path in bundle.extract([carried.file], Path(folder)):
            with path.open("rb") as source:
                engine.load(source)
    return _("Docker has {names} now.").format(names=names)


def _layers(engine: Docker, name: str) -> tuple[str, ...]:
    """By what to know the image of that name in an engine; () if there is none."""
    from dockerlab.engine.docker.client import Missing

    try:
        return tuple(engine.client.inspect_image(name)["RootFS"].get("Layers") or ("",))
    except Missing:
        return ()


def _registries(folder: Path, wanted: Iterable[str]) -> Iterator[Path]:
    """The real registry as a Docker Engine has it, else packed from this machine's own."""
    from dockerlab.engine import current

    engine = _docker(current())
    found = [name for name in wanted if engine and _layers(engine, name)]
    for name in found:
        path = folder / f"{name.replace(':', '-')}.tar"
        with path.open("wb") as target:
            assert engine
            engine.save([name], target)
        yield path
    packed = _packed(folder) if REGISTRIES[0] in set(wanted) - set(found) else None
    if packed:
        yield packed


def _packed(folder: Path) -> Path | None:
    from dockerlab.engine import archive
    from dockerlab.engine.images import ImageStore, here
    from dockerlab.hub import packing
    from dockerlab.image.layout import Layout
    from dockerlab.registry.transfer import choose

    program = packing.find()
    if program is None:
        return None
    store = ImageStore(folder / "store", lambda: Layout(folder / "hub"))
    index = store.layout.manifest(packing.pack(store.layout, program))
    store.point({REGISTRIES[0]: store.describe(choose(index, here()))})
    path = folder / "registry.tar"
    with path.open("wb") as target:
        archive.save(store, [REGISTRIES[0]], target)
    return path


def _docker(engine: Any) -> Docker | None:
    from dockerlab.engine.docker import Docker

    return engine if isinstance(engine, Docker) else None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()
