"""docker's image commands that stay on this host: ls, tag, rm, inspect, history, prune …"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockerlab.engine.commands import image_inspect, image_list  # noqa: F401  (they register)
from dockerlab.engine.commands.filters import pairs, sift
from dockerlab.engine.commands.format import parse_time, size
from dockerlab.engine.commands.parse import Session, command, flag, many, text
from dockerlab.engine.images import Image
from dockerlab.engine.removal import Use, Users, prune, remove
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
    users = users_of(session)
    for name in images:
        try:
            if not name:
                raise Refused("page not found")
            for line in remove(session.engine.images, name, force=force, users=users):
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
    sift(wanted, ("dangling", "label", "label!", "until"))
    lines, freed = prune(
        session.engine.images, _chooser(wanted), named=all, users=users_of(session)
    )
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
    from dockerlab.engine import archive

    if output:
        _to_file(Path(output), lambda target: archive.save(session.engine.images, images, target))
        return
    target = getattr(session.out, "buffer", None)
    if target is None or session.out.isatty():
        raise EngineError("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    session.out.flush()
    archive.save(session.engine.images, images, target)
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
    from dockerlab.engine import loading

    if input:
        try:
            with open(input, "rb") as file:
                lines = loading.load(session.engine.images, file)
        except OSError as error:
            raise EngineError(f"open {input}: {(error.strerror or '').lower()}") from None
    elif session.stdin is None or session.stdin.isatty():
        raise EngineError("requested load from stdin, but stdin is empty")
    else:
        lines = loading.load(session.engine.images, session.stdin)
    for line in lines:
        session.print(line)


def users_of(session: Session) -> Users:
    """The containers of this host, by the image that they were made from."""

    def users(image: str) -> list[Use]:
        return [Use(one.id, one.running) for one in session.engine.containers.using(image)]

    return users


def _to_tag(name: str) -> Reference:
    try:
        return Reference.parse(name)
    except InvalidReference as error:
        raise EngineError(
            f'Error parsing reference: "{name}" is not a valid repository/tag: {error.docker}'
        ) from None


def _chooser(wanted: dict[str, list[str]]) -> Callable[[Image], bool]:
    from dockerlab.engine.commands.filters import labelled, moment

    until = [moment(value) for value in wanted.get("until", ())]

    def chosen(image: Image) -> bool:
        created = parse_time(image.created)
        return (
            all(created <= limit for limit in until)
            and labelled(image.labels, wanted.get("label", ()))
            and not any(labelled(image.labels, [label]) for label in wanted.get("label!", ()))
        )

    return chosen


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
