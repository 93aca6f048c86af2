"""An artifact is attached to an image in a registry, and where the list of them is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockerlab.errors import EngineError
from dockerlab.i18n import _
from dockerlab.image.digest import short
from dockerlab.image.reference import Reference
from dockerlab.widgets.outcome import Note

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*", re.ASCII)  # RFC 6838


def attach(engine: Engine, image: str, content: str | bytes, kind: str) -> Note:
    """Attach `content` to what a registry holds as `image`; RegistryError if it holds no such.

    EngineError if `kind` is no media type.
    """
    from dockerlab.registry import artifact
    from dockerlab.registry.client import schema_tag

    if not _MEDIA_TYPE.fullmatch(str(kind)):
        raise EngineError(_("“{kind}” is no media type; text/plain is one.").format(kind=kind))
    wanted = Reference.parse(str(image))
    raw = content if isinstance(content, bytes) else str(content).encode()
    name = wanted.repository
    with engine.connect(wanted.registry) as registry:
        subject = registry.resolve(name, wanted.digest or wanted.tag or "latest")
        artifact.attach(registry, name, subject, raw, str(kind))
        tagged = schema_tag(subject.digest) in set(registry.tags(name))
    said = _("{kind} now refers to {name}@sha256:{digest}….").format(
        kind=kind, name=name, digest=short(subject.digest)
    )
    kept = (
        _("The registry keeps no list of what refers to what, so it is kept under a tag.")
        if tagged
        else _("The registry itself lists what refers to what.")
    )
    return Note(f"{said}\n{kept}")
