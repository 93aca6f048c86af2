"""A bundle is made: the same course on the same machine gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import dockerlab
from dockerlab.bundle import images, manifest
from dockerlab.bundle.collecting import Stock
from dockerlab.bundle.manifest import Carried, Machine, Manifest, Wheels, here
from dockerlab.bundle.mistakes import Foreign, TooLarge, size
from dockerlab.bundle.opening import is_bundle
from dockerlab.errors import CannotWrite
from dockerlab.i18n import _, digits, ngettext

# If the file's end is missing, it is no zip: Python reads its first line, and shows it.
_HALF = '"This file is not whole: copy it again. ফাইলটা পুরো আসেনি: আবার কপি করো।\n'
_DATE = (1980, 1, 1, 0, 0, 0)
_PIECE = 1024 * 1024


def save(
    path: Path,
    machines: Sequence[Machine],
    archives: Sequence[Path],
    source: Path | None,
    say: Callable[[str], None],
) -> None:
    """Write a bundle for this machine and others; NotCollected, Foreign, TooLarge, CannotWrite."""
    if path.exists() and not is_bundle(path):
        raise Foreign(path)
    for archive in archives:  # what is wrong with them is known at once
        images.described(archive)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".dockerlab-bundle-") as folder:
            wheels, files = _wheels(Path(folder), machines, source, say)
            carried = list(_images(Path(folder), archives, files, say))
            files |= _travellers()
            try:
                _write(partial, wheels, carried, files)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(path, error.errno) from None
    said = _("{path} is ready: {size}. To install it: python3 {path}")
    say(said.format(path=path, size=size(path.stat().st_size)))


def _wheels(
    folder: Path, machines: Sequence[Machine], source: Path | None, say: Callable[[str], None]
) -> tuple[list[Wheels], dict[str, Path]]:
    place = folder / "wheels"
    place.mkdir()
    stock = Stock(place, source)
    collected = []
    for machine in dict.fromkeys((here(), *machines)):
        say(_("Collecting the packages for {machine} …").format(machine=machine))
        wheels = stock.collect(machine)
        count = len(wheels.files)
        said = ngettext("    {count} package, {size}", "    {count} packages, {size}", count)
        packed = sum((folder / name).stat().st_size for name in wheels.files)
        say(said.format(count=digits(count), size=size(packed)))
        collected.append(wheels)
    names = sorted({name for wheels in collected for name in wheels.files})
    return collected, {name: folder / name for name in names}


def _images(
    folder: Path, archives: Sequence[Path], files: dict[str, Path], say: Callable[[str], None]
) -> Iterable[Carried]:
    place = folder / "images"
    place.mkdir()
    none = True
    for path, carried in images.carry(place, archives):
        none = False
        files[carried.file] = path
        names = ", ".join(carried.images)
        say(_("Image {names}, {size}").format(names=names, size=size(path.stat().st_size)))
        yield carried
    if none:
        said = _(
            "No images go along: no Docker Engine here has registry:2. The course's own engine "
            "needs none; for a Docker Engine, add a file of docker save with --image FILE."
        )
        say(said)


def _travellers() -> dict[str, Path]:
    package = Path(dockerlab.__file__).parent
    found = {f"dockerlab/{name}": package / name for name in manifest.TRAVELLERS}
    for words in sorted(package.glob("locale/*/LC_MESSAGES/*.mo")):
        found[f"dockerlab/{words.relative_to(package).as_posix()}"] = words
    return {"__main__.py": package / "bundle" / "__main__.py", **found}


def _write(
    path: Path, wheels: Sequence[Wheels], carried: Sequence[Carried], files: dict[str, Path]
) -> None:
    digests = {name: (_digest(each), each.stat().st_size) for name, each in sorted(files.items())}
    content = Manifest(dockerlab.__version__, tuple(wheels), tuple(carried), digests).encode()
    try:
        with path.open("wb") as target:
            target.write(_HALF.encode())
            with zipfile.ZipFile(target, "w", allowZip64=False) as archive:
                archive.writestr(zipfile.ZipInfo(manifest.NAME, _DATE), content)
                for name, source in sorted(files.items()):
                    _add(archive, name, source)
            target.flush()
            os.fsync(target.fileno())
    except zipfile.LargeZipFile:
        raise TooLarge from None


def _add(archive: zipfile.ZipFile, name: str, source: Path) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.file_size = source.stat().st_size
    with source.open("rb") as file, archive.open(entry, "w") as target:
        while piece := file.read(_PIECE):
            target.write(piece)


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
