"""`docker push` and `docker pull`."""

from __future__ import annotations

import re

from dockerlab.engine.base import Say
from dockerlab.engine.commands.parse import Session, command, flag, text
from dockerlab.engine.words import Refused
from dockerlab.errors import EngineError
from dockerlab.image.manifest import Platform
from dockerlab.image.reference import InvalidReference, Reference

# Go's GOOS and GOARCH, and other words for them (containerd's platforms package).
_SYSTEMS = {
    *("aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux"),
    *("nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos"),
}
_ARCHITECTURES = {
    *("386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle"),
    *("ppc64", "ppc64le", "riscv64", "s390x", "sparc64", "wasm"),
}
_ALSO = {
    "macos": ("darwin", ""),
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_IGNORED = {"support": "harmless"}
_COMPONENT = re.compile(r"[A-Za-z0-9_-]+")


@command(
    "image pull",
    "pull",
    usage="NAME[:TAG|@DIGEST]",
    summary="Download an image from a registry",
    options=[
        flag("all-tags", "a", "Download all tagged images in the repository"),
        flag("disable-content-trust", "", "Skip image verification", default=True, **_IGNORED),
        text("platform", "", "Set platform if server is multi-platform capable"),
        flag("quiet", "q", "Suppress verbose output"),
    ],
    arguments=(1, 1),
    completes="images",
)
def pull(
    session: Session,
    name: str,
    all_tags: bool,
    platform: str,
    quiet: bool,
) -> None:
    """`docker pull`."""
    say = _silent if quiet else session.print
    reference = to_pull(name, say, all_tags)
    wanted = parse_platform(platform)
    session.engine.pull(reference, say, platform=wanted, all_tags=all_tags)
    session.print(reference.locator if all_tags else str(reference))


@command(
    "image push",
    "push",
    usage="NAME[:TAG]",
    summary="Upload an image to a registry",
    options=[
        flag("all-tags", "a", "Push all tags of an image to the repository"),
        flag("disable-content-trust", "", "Skip image signing", default=True, **_IGNORED),
        flag("quiet", "q", "Suppress verbose output"),
    ],
    arguments=(1, 1),
    completes="images",
)
def push(session: Session, name: str, all_tags: bool, quiet: bool) -> None:
    """`docker push`."""
    say = _silent if quiet else session.print
    reference = to_push(name, say, all_tags)
    session.engine.push(reference, say, all_tags=all_tags)
    if quiet:
        session.print(reference.locator if all_tags else str(reference))


def to_pull(name: str, say: Say, all_tags: bool = False) -> Reference:
    """The image that is to be pulled, after docker's word on a tag that was left out."""
    try:
        reference = Reference.parse(name)
    except InvalidReference as error:
        raise EngineError(error.docker) from None
    bare = ":" not in name.rpartition("/")[2]  # neither tag nor digest
    if all_tags and not bare:
        raise EngineError("tag can't be used with --all-tags/-a")
    if bare and not all_tags:
        say("Using default tag: latest")
    return reference


def to_push(name: str, say: Say, all_tags: bool = False) -> Reference:
    """The image that is to be pushed, likewise."""
    reference = to_pull(name, say, all_tags)
    if reference.digest:
        raise EngineError("cannot push a digest reference")
    return reference


def _silent(line: str) -> None:
    pass


def parse_platform(given: str) -> Platform | None:
    """What `--platform` asks for, in containerd's words where it cannot be."""
    if not given:
        return None
    parts = given.split("/")
    for part in parts:
        if not _COMPONENT.fullmatch(part):
            raise Refused(
                f'"{part}" is an invalid component of "{given}": platform specifier component '
                'must match "^[A-Za-z0-9_-]+$": invalid argument'
            )
    known = [_ALSO.get(part.lower(), (part.lower(), "")) for part in parts]
    if len(parts) == 1:
        name, variant = known[0]
        if name in _SYSTEMS:
            from dockerlab.engine.images import here

            return Platform(name, here().architecture)
        if name in _ARCHITECTURES:
            return Platform("linux", name, variant)
        raise Refused(f'"{given}": unknown operating system or architecture: invalid argument')
    if len(parts) > 3:
        raise Refused(f'"{given}": cannot parse platform specifier: invalid argument')
    (system, _), (architecture, variant) = known[:2]
    variant = parts[2] if len(parts) == 3 else variant
    if (architecture, variant) in (("arm64", "v8"), ("arm64", "8"), ("amd64", "v1")):
        variant = ""
    return Platform(system, architecture, variant)
