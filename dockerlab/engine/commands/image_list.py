"""`docker images` and `docker history`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from dockerlab.engine.base import Image, Images
from dockerlab.engine.commands.filters import labelled, matches, pairs, sift, templates
from dockerlab.engine.commands.format import ago, go_json, parse_time, show, size
from dockerlab.engine.commands.parse import TABLE_FORMAT, Session, command, flag, many
from dockerlab.engine.words import Refused
from dockerlab.errors import EngineError
from dockerlab.image import digest as digests
from dockerlab.image.reference import Reference

_NONE = "<none>"
_TITLES = {
    "Containers": "CONTAINERS",
    "CreatedAt": "CREATED AT",
    "CreatedSince": "CREATED",
    "Digest": "DIGEST",
    "ID": "IMAGE ID",
    "Repository": "REPOSITORY",
    "SharedSize": "SHARED SIZE",
    "Size": "SIZE",
    "Tag": "TAG",
    "UniqueSize": "UNIQUE SIZE",
    "VirtualSize": "SIZE",
}
_HISTORY_TITLES = {
    "Comment": "COMMENT",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "CreatedSince": "CREATED",
    "ID": "IMAGE",
    "Size": "SIZE",
}


@command(
    "image ls",
    "image list",
    "images",
    usage="[REPOSITORY[:TAG]]",
    summary="List images",
    options=[
        flag("all", "a", "Show all images (default hides intermediate images)"),
        flag("digests", "", "Show digests"),
        many("filter", "f", "Filter output based on conditions provided", kind="filter"),
        TABLE_FORMAT,
        flag("no-trunc", "", "Don't truncate output"),
        flag("quiet", "q", "Only show image IDs"),
    ],
    arguments=(0, 1),
    completes="images",
)
def ls(
    session: Session,
    *repository: str,
    all: bool,
    digests: bool,
    filter: list[str],
    format: str,
    no_trunc: bool,
    quiet: bool,
) -> None:
    """`docker images`."""
    wanted = pairs([*filter, *(f"reference={name}" for name in repository if name)])
    rows = [
        _row(image, repository, tag, digest, no_trunc)
        for image, names in _select(session.engine.images, wanted)
        for repository, tag, digest in _places(names, digests, digests or "{{.Digest}}" in format)
    ]
    if quiet and format in ("", "table"):
        format = "{{.ID}}"
    elif format == "raw":
        format = _RAW_QUIET if quiet else _RAW
    columns = r"{{.Repository}}\t{{.Tag}}\t"
    columns += (r"{{.Digest}}\t" if digests else "") + r"{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
    _show(session, rows, _TITLES, columns, format, "*formatter.imageContext")


_RAW_QUIET = "image_id: {{.ID}}"
_RAW = r"""repository: {{.Repository}}
tag: {{.Tag}}
image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}\n"""


@command(
    "image history",
    "history",
    usage="IMAGE",
    summary="Show the history of an image",
    options=[
        TABLE_FORMAT,
        flag("human", "H", "Print sizes and dates in human readable format", default=True),
        flag("no-trunc", "", "Don't truncate output"),
        flag("quiet", "q", "Only show image IDs"),
    ],
    arguments=(1, 1),
    completes="images",
)
def history(
    session: Session, name: str, format: str, human: bool, no_trunc: bool, quiet: bool
) -> None:
    """`docker history`."""
    rows = [_step(step, human, no_trunc) for step in session.engine.history(name)]
    if quiet and format in ("", "table"):
        format = "{{.ID}}"
    when = "CreatedSince" if human else "CreatedAt"
    columns = rf"{{{{.ID}}}}\t{{{{.{when}}}}}\t{{{{.CreatedBy}}}}\t{{{{.Size}}}}\t{{{{.Comment}}}}"
    _show(session, rows, _HISTORY_TITLES, columns, format, "*image.historyContext")


def _show(
    session: Session,
    rows: list[dict[str, Any]],
    titles: dict[str, str],
    columns: str,
    format: str,
    type_name: str,
) -> None:
    if format in ("json", "{{json .}}"):
        for row in rows:
            session.print(go_json(row, html=True))
        return
    try:
        show(session.out, rows, titles, columns, format, type_name)
    except EngineError as error:
        raise templates(error) from None


Names = tuple[Reference, ...]


def _select(store: Images, wanted: dict[str, list[str]]) -> Iterator[tuple[Image, Names]]:
    """The images that pass the filters, and those of their names that do."""
    sift(wanted, ("dangling", "label", "before", "since", "reference"))
    tests = [
        *(_older(store.find(name)) for name in wanted.get("before", ())),
        *(_newer(store.find(name)) for name in wanted.get("since", ())),
        *(_with_label(label) for label in wanted.get("label", ())),
        *(_dangling(value) for value in wanted.get("dangling", ())),
    ]
    patterns = wanted.get("reference", ())
    for image in store.list():
        names = tuple(name for name in image.references if _matches(patterns, name))
        if all(test(image) for test in tests) and (names or not patterns):
            yield image, names


Test = Callable[[Image], bool]


def _older(than: Image) -> Test:
    return lambda image: parse_time(image.created) < parse_time(than.created)


def _newer(than: Image) -> Test:
    return lambda image: parse_time(image.created) > parse_time(than.created)


def _with_label(label: str) -> Test:
    return lambda image: labelled(image.labels, [label])


def _dangling(value: str) -> Test:
    if value not in ("true", "false"):
        raise Refused(f"Invalid filter 'dangling=[{value}]'")
    if value == "true":
        return lambda image: not image.names
    return lambda image: bool(image.references)


def _matches(patterns: Iterable[str], name: Reference) -> bool:
    found = [matches(pattern, text) for pattern in patterns for text in _spellings(name)]
    return any(found) or not found


def _spellings(name: Reference) -> tuple[str, str]:
    return name.familiar, name.familiar_name


def _places(names: Names, listed: bool, shown: bool) -> Iterator[tuple[str, str, str]]:
    """Repository, tag and digest of each line that an image takes.

    `listed`: a line for each digest that has no tag (--digests); `shown`: digests are shown at all.
    """
    if not names:
        yield _NONE, _NONE, _NONE
    for repository in dict.fromkeys(name.familiar_name for name in names):
        mine = [name for name in names if name.familiar_name == repository]
        tags = [name.tag or "" for name in mine if not name.digest]
        found = [name.digest for name in mine if name.digest]
        for tag in tags:
            for digest in (found if shown else ()) or (_NONE,):
                yield repository, tag, digest
        if not tags:
            for digest in found if listed else ("",):
                yield repository, _NONE, digest


def _row(image: Image, repository: str, tag: str, digest: str, whole: bool) -> dict[str, str]:
    return {
        "Containers": "N/A",
        "CreatedAt": _moment(image.created),
        "CreatedSince": _since(image.created),
        "Digest": digest,
        "ID": image.id if whole else digests.short(image.id),
        "Repository": repository,
        "SharedSize": "N/A",
        "Size": size(image.size),
        "Tag": tag,
        "UniqueSize": "N/A",
        "VirtualSize": size(image.size, 4),
    }


def _step(step: dict[str, Any], human: bool, whole: bool) -> dict[str, str]:
    created = str(step.get("created") or "")
    by = str(step.get("created_by") or "").replace("\t", " ")
    local = _local(created).isoformat().replace("+00:00", "Z") if created else ""
    return {
        "Comment": str(step.get("comment") or ""),
        "CreatedAt": local,
        "CreatedBy": by if whole or len(by) <= 45 else by[:44] + "…",
        "CreatedSince": _since(created) if human else local,
        "ID": step["id"] if whole or step["id"].startswith("<") else digests.short(step["id"]),
        "Size": size(step["size"]) if human else str(step["size"]),
    }


def _since(created: str) -> str:
    """How long ago; nothing for images that hide when they were made."""
    return ago(created) if created and parse_time(created).timestamp() > 0 else "N/A"


def _local(created: str) -> datetime:
    return parse_time(created).replace(microsecond=0).astimezone()


def _moment(created: str) -> str:
    """As Go prints a time."""
    local = _local(created)
    name = "UTC" if local.utcoffset() == timezone.utc.utcoffset(None) else local.tzname()
    return f"{local:%Y-%m-%d %H:%M:%S %z} {name}"
