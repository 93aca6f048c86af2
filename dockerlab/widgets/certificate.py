"""A certificate that the lab has made, and what it takes for a docker host to believe it."""

from __future__ import annotations

import shlex
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from dockerlab.engine import second
from dockerlab.engine.base import Engine
from dockerlab.engine.embedded import Embedded
from dockerlab.engine.trust import check
from dockerlab.errors import NoAuthority
from dockerlab.i18n import _
from dockerlab.registry.certificates import Certificate
from dockerlab.widgets.html import render
from dockerlab.widgets.outcome import Note


class CertificateView:
    """Where the three files are; `ca`, `certificate` and `key` are their paths."""

    def __init__(self, made: Certificate, names: Sequence[str]) -> None:
        self.ca, self.certificate, self.key = made.ca, made.certificate, made.key
        self._names = names

    def __repr__(self) -> str:
        return "\n".join(f"{label}: {value}" for label, value in self._rows())

    def _repr_html_(self) -> str:
        return render("lab", rows=self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        whose = _("{path}, for {names}")
        path = self.certificate.as_posix()
        return [
            (_("Certificate"), whose.format(path=path, names=", ".join(self._names))),
            (_("Its key, a secret"), self.key.as_posix()),
            (_("The lab's authority"), self.ca.as_posix()),
        ]


def trust(engine: Engine, registry: str, context: str, ca: Path) -> Note:
    """Let the docker host `context` trust an authority at a registry, or say how that is done."""
    from dockerlab.engine.docker import Docker

    check(registry)
    try:
        text = ca.read_text("utf-8")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError):
        raise NoAuthority(ca.as_posix()) from None
    host = second.at(engine, context or engine.host)
    if isinstance(host, Embedded):
        host.trust(registry, text.encode())
        said = _(
            "The docker host {host} now trusts this authority at {registry}: its certificate is in "
            "certs.d/{registry}/ca.crt."
        )
        return Note(said.format(host=host.host, registry=registry))
    is_here = isinstance(host, Docker) and host.address.is_here and host.host == engine.host
    said = _at_home() if is_here else _elsewhere()
    return Note(
        said.format(host=context or host.place, ca=shlex.quote(ca.as_posix()), registry=registry)
    )


def _elsewhere() -> str:
    return _(
        "{host} is a machine of your own, and the course changes nothing there. Copy {ca} to it, "
        "as /etc/docker/certs.d/{registry}/ca.crt; its Docker need not be restarted."
    )


def _at_home() -> str:
    if sys.platform == "linux":
        return _(
            "Only root may tell your Docker Engine. In a terminal, in this folder: sudo mkdir -p "
            "/etc/docker/certs.d/{registry} && sudo cp {ca} /etc/docker/certs.d/{registry}/ca.crt "
            "— Docker need not be restarted."
        )
    return _(
        "Your Docker Desktop is told by a file of your own, which the course leaves to you. Copy "
        "{ca} to .docker/certs.d/{registry}/ca.crt in your home folder, then restart Docker "
        "Desktop."
    )
