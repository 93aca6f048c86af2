"""Names of images: what a learner types, what it stands for, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _
from dockerlab.image.digest import SIZES
from dockerlab.image.grammar import (
    HUB,
    IDENTIFIER,
    OFFICIAL,
    PATH_LIMIT,
    REFERENCE,
    is_domain,
    split_domain,
)
from dockerlab.image.mend import mend
from dockerlab.image.mistake import Mistake, describe, find


class InvalidReference(DockerlabError, ValueError):
    """`text` is no image name: `rule` says which rule it breaks, `part` what breaks it.

    `part` stands at `position` in `text`; `docker` is what docker says, in docker's words;
    `suggestion` is a name that might have been meant, or None.
    """

    def __init__(
        self, text: str, rule: str, part: str, position: int, docker: str, suggestion: str | None
    ) -> None:
        super().__init__(text, rule, part, position, docker, suggestion)
        self.text, self.rule, self.part, self.position = text, rule, part, position
        self.docker, self.suggestion = docker, suggestion

    @property
    def reason(self) -> str:
        """The rule that is broken and what breaks it, in the learner's language."""
        return describe(Mistake(self.rule, self.part, self.position))

    @property
    def hint(self) -> str:
        """What might have been meant, in the learner's language, or nothing."""
        asked = _("Did you mean {name}?")
        return asked.format(name=self.suggestion) if self.suggestion is not None else ""

    def message(self) -> str:
        return f"{self.reason} {self.hint}".rstrip()


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
        match = _judge(text)
        if isinstance(match, str):
            raise _invalid(text, match)
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
            raise _invalid(text, "invalid reference format")
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


def _invalid(text: str, docker: str) -> InvalidReference:
    candidate = mend(text)
    if candidate is not None and (candidate == text or isinstance(_judge(candidate), str)):
        candidate = None
    return InvalidReference(text, *find(text), docker, candidate)


def _judge(text: str) -> re.Match[str] | str:
    """`text` taken apart, or docker's words if it cannot be: judged in the order that docker does.

    Those words are from distribution/reference (normalize.go, reference.go) and go-digest.
    """
    if IDENTIFIER.fullmatch(text):
        return f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
    domain, rest = split_domain(text)
    path = rest.partition(":")[0]
    if path.lower() != path:
        return f"invalid reference format: repository name ({path}) must be lowercase"
    full = f"{domain}/{rest}"
    match = REFERENCE.fullmatch(full)
    if not match:
        small = full.lower() != full and REFERENCE.fullmatch(full.lower())
        return "repository name must be lowercase" if small else "invalid reference format"
    if len(match["path"]) > PATH_LIMIT:
        return f"repository name must not be more than {PATH_LIMIT} characters"
    return _judge_digest(match["digest"]) or match if match["digest"] else match


def _judge_digest(digest: str) -> str:
    algorithm, _colon, encoded = digest.partition(":")
    if algorithm not in SIZES:
        known = algorithm == algorithm.lower()
        return "unsupported digest algorithm" if known else "invalid checksum digest format"
    if len(encoded) != SIZES[algorithm]:
        return "invalid checksum digest length"
    return "" if encoded == encoded.lower() else "invalid checksum digest format"
