"""Names of images: what a learner types, what it stands for, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering

from dockerlab.errors import DockerlabError, InvalidDigest
from dockerlab.image import digest as digests
from dockerlab.image.grammar import (
    HUB,
    IDENTIFIER,
    OFFICIAL,
    PATH_LIMIT,
    REFERENCE,
    is_domain,
    split_domain,
)


class InvalidReference(DockerlabError, ValueError):
    """`text` is no image name: `rule` says which rule it breaks, `part` what breaks it.

    `part` stands at `position` in `text`; `docker` is what docker says, in docker's words;
    `suggestion` is a name that might have been meant, or None.
    """

    def __init__(self, text: str, docker: str) -> None:
        super().__init__(text, docker)
        self.text, self.docker = text, docker
        self.rule, self.part, self.position = "format", text, 0
        self.suggestion: str | None = None

    def message(self) -> str:
        return self.docker


@total_ordering
@dataclass(frozen=True)
class Reference:
    """A whole image name; `text` is what was typed, and makes no difference between two names."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None
    text: str = field(default="", compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The name that docker understands when `text` is typed; InvalidReference if it is none."""
        match = _match(text)
        tag, digest = match["tag"], match["digest"]
        if tag is None and digest is None:
            tag = "latest"
        return cls(match["domain"] or "", match["path"], tag, digest, text)

    @property
    def namespace(self) -> str:
        """What stands before the name: `library`, an account, an organisation; or nothing."""
        return self.repository.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the repository: `nginx`."""
        return self.repository.rpartition("/")[2]

    @property
    def locator(self) -> str:
        """Registry and repository: `docker.io/library/nginx`."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def familiar_name(self) -> str:
        """`locator` as docker shows it, without `docker.io/` and `library/`: `nginx`.

        Docker Hub is not dropped where the rest would then mean another registry.
        """
        if self.registry != HUB:
            return self.locator
        if self.namespace == OFFICIAL.rstrip("/"):
            return self.name
        return self.locator if is_domain(self.repository.partition("/")[0]) else self.repository

    @property
    def familiar(self) -> str:
        """The name as docker shows it: `nginx:latest`."""
        return self.familiar_name + self._suffix

    def with_tag(self, tag: str) -> Reference:
        """The same repository under `tag`, without a digest; InvalidReference for a bad tag."""
        return self._with("tag", tag)

    def with_digest(self, digest: str) -> Reference:
        """The same repository at `digest`, without a tag; InvalidReference for a bad digest."""
        return self._with("digest", digest)

    def _with(self, kind: str, value: str) -> Reference:
        text = f"{self.locator}{'@' if kind == 'digest' else ':'}{value}"
        found = Reference.parse(text)
        if getattr(found, kind) != value:
            raise InvalidReference(text, "invalid reference format")
        return found

    def __str__(self) -> str:
        return self.locator + self._suffix

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return self._key < other._key

    @property
    def _key(self) -> tuple[str, str, str, str]:
        return self.registry, self.repository, self.tag or "", self.digest or ""

    @property
    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag


def _match(text: str) -> re.Match[str]:
    """`text` taken apart; judged in docker's order, so that docker's words are the same."""
    if IDENTIFIER.fullmatch(text):
        raise InvalidReference(
            text,
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings",
        )
    domain, rest = split_domain(text)
    path = rest.partition(":")[0]
    if path.lower() != path:
        raise InvalidReference(
            text, f"invalid reference format: repository name ({path}) must be lowercase"
        )
    full = f"{domain}/{rest}"
    match = REFERENCE.fullmatch(full)
    if not match:
        lower = full.lower()
        small = lower != full and REFERENCE.fullmatch(lower)
        raise InvalidReference(
            text, "repository name must be lowercase" if small else "invalid reference format"
        )
    if len(match["path"]) > PATH_LIMIT:
        raise InvalidReference(
            text, f"repository name must not be more than {PATH_LIMIT} characters"
        )
    if match["digest"]:
        _judge_digest(text, match["digest"])
    return match


def _judge_digest(text: str, digest: str) -> None:
    algorithm, _, encoded = digest.partition(":")
    if algorithm not in digests.SIZES:
        known = algorithm == algorithm.lower()
        kind = "unsupported digest algorithm" if known else "invalid checksum digest format"
        raise InvalidReference(text, kind)
    if len(encoded) != digests.SIZES[algorithm]:
        raise InvalidReference(text, "invalid checksum digest length")
    try:
        digests.split(digest)
    except InvalidDigest:
        raise InvalidReference(text, "invalid checksum digest format") from None
