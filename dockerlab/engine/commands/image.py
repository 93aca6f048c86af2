"""docker's image commands that stay on this host: ls, tag, rm, inspect, history, prune …"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockerlab.engine.commands import image_inspect, image_list  # noqa: F401  (they register)
from dockerlab.engine.commands.filters import pairs
from dockerlab.engine.commands.format import size
from dockerlab.engine.commands.parse import Session, command, flag, many, text
from dockerlab.engine.words import Refused
from dockerlab.errors import DockerlabError, EngineError
from dockerlab.image.reference import InvalidReference, Reference


@command(
    "image tag",
    "tag",
    usage="SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    summary="Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    arguments=(2, 2),
    completes="images",
)
def tag(session: Session, source: str, target: str) -> None:
    """`docker tag`."""
    named = [_to_tag(name) for name in (source, target)][1]
    if named.digest:
        raise EngineError("refusing to create a tag with a digest reference")
    if named.familiar_name == "sha256":
        raise Refused("refusing to create an ambiguous tag using digest algorithm as name")
    session.engine.images.tag(source, named)


@command(
    "image rm",
    "image remove",
    "rmi",
    usage="IMAGE [IMAGE...]",
    summary="Remove one or more images",
    options=[
        flag("force", "f", "Force removal of the image"),
        flag("no-prune", "", "Do not delete untagged parents"),
    ],
    arguments=(1, None),
    completes="images",
)
def rm(session: Session, *images: str, force: bool, no_prune: bool) -> int:
    """`docker rmi`: what goes is printed first, what does not go after it."""
    failures, fatal = [], False
    for name in images:
        try:
            if not name:
                raise Refused("page not found")
            for line in session.engine.remove_image(name, force=force):
                session.print(line)
        except DockerlabError as error:
            failures.append(str(error))
            fatal = fatal or not (force and "No such image" in str(error))
    if failures:
        session.complain("\n".join(failures))
    return int(fatal)


@command(
    "image prune",
    summary="Remove unused images",
    options=[
        flag("all", "a", "Remove all unused images, not just dangling ones"),
        many("filter", "", 'Provide filter values (e.g. "until=<timestamp>")', kind="filter"),
        flag("force", "f", "Do not prompt for confirmation"),
    ],
)
def prune_images(session: Session, all: bool, filter: list[str], force: bool) -> None:
    """`docker image prune`."""
    wanted = pairs(filter)
    what = "images without at least one container associated to them" if all else "dangling images"
    if not force and not session.confirm(f"WARNING! This will remove all {what}."):
        return
    wanted.setdefault("dangling", []).append("false" if all else "true")
    lines, freed = session.engine.prune("images", wanted)
    if lines:
        session.print("\n".join(["Deleted Images:", *lines, ""]))
    session.print(f"Total reclaimed space: {size(freed, 4)}")


@command(
    "image save",
    "save",
    usage="IMAGE [IMAGE...]",
    summary="Save one or more images to a tar archive (streamed to STDOUT by default)",
    options=[text("output", "o", "Write to a file, instead of STDOUT")],
    arguments=(1, None),
    completes="images",
)
def save(session: Session, *images: str, output: str) -> None:
    """`docker save`."""
    if output:
        _to_file(Path(output), lambda target: session.engine.save(images, target))
        return
    target = getattr(session.out, "buffer", None)
    if target is None or session.out.isatty():
        raise EngineError("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    session.out.flush()
    session.engine.save(images, target)
    target.flush()


@command(
    "image load",
    "load",
    summary="Load an image from a tar archive or STDIN",
    options=[
        text("input", "i", "Read from tar archive file, instead of STDIN"),
        flag("quiet", "q", "Suppress the load output"),
    ],
)
def load(session: Session, input: str, quiet: bool) -> None:
    """`docker load`."""
    if input:
        try:
            with open(input, "rb") as file:
                lines = session.engine.load(file)
        except OSError as error:
            raise EngineError(f"open {input}: {(error.strerror or '').lower()}") from None
    elif session.stdin is None or session.stdin.isatty():
        raise EngineError("requested load from stdin, but stdin is empty")
    else:
        lines = session.engine.load(session.stdin)
    for line in lines:
        session.print(line)


def _to_tag(name: str) -> Reference:
    try:
        return Reference.parse(name)
    except InvalidReference as error:
        raise EngineError(
            f'Error parsing reference: "{name}" is not a valid repository/tag: {error.docker}'
        ) from None


def _to_file(path: Path, write: Callable[[Any], None]) -> None:
    """Write a file that takes its place only when it is whole."""
    import tempfile

    if path.is_dir():
        raise EngineError("failed to save image: cannot write to a directory")
    folder = path.parent
    if not folder.is_dir():
        reason = f"stat {folder}: no such file or directory"
        raise EngineError(f"failed to save image: invalid output path: {reason}")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".docker_temp_", delete=False) as new:
            try:
                write(new)
                new.close()
                Path(new.name).replace(path)
            except BaseException:
                new.close()
                Path(new.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise EngineError(f"write {path}: {(error.strerror or '').lower()}") from None
