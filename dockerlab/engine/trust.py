"""Whom the daemon of one docker host trusts: its folder certs.d, as docker reads it.

certs.d/HOST:PORT/*.crt    authorities that may vouch for the registry HOST:PORT
certs.d/HOST:PORT/*.cert   certificates that the daemon shows it, each with its *.key

The lab's own folder may have a certs.d too: all its hosts trust whom that names.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
from collections.abc import Sequence
from pathlib import Path

from dockerlab.engine.home import private
from dockerlab.engine.words import Refused
from dockerlab.errors import BadRegistry
from dockerlab.registry.trust import Trust

FOLDER, AUTHORITY = "certs.d", "ca.crt"
_REGISTRY = re.compile(r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----")


def known(host: Path, registry: str, *more: Path) -> Trust:
    """Whom the docker host in the folder `host` trusts at a registry; Refused in docker's words.

    So it does whom the certs.d in the folders `more` name.
    """
    found = [_known(_folder(each, registry)) for each in (host, *more)]
    authorities = [path for each in found for path in each.authorities]
    return Trust(tuple(authorities), tuple(pair for each in found for pair in each.identities))


def _known(folder: Path) -> Trust:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return Trust()
    found = {name: os.path.splitext(name) for name in names}
    authorities = [folder / name for name, (_, kind) in found.items() if kind == ".crt"]
    identities = []
    for name, (stem, kind) in found.items():
        if kind == ".key" and f"{stem}.cert" not in found:
            raise Refused(f"Missing client certificate {stem}.cert for key {name}")
        if kind == ".cert" and f"{stem}.key" not in found:
            raise Refused(
                f"missing key {stem}.key for client certificate {name}. "
                "Note that CA certificates should use the extension .crt"
            )
        if kind == ".cert":
            identities.append((folder / name, folder / f"{stem}.key"))
            _match(*identities[-1])
    return Trust(tuple(authorities), tuple(identities))


def believe(host: Path, registry: str, authority: bytes) -> Path:
    """Let the docker host in the folder `host` trust an authority (PEM); where that is kept."""
    path = private(_folder(host, registry)) / AUTHORITY
    partial = path.with_suffix(".partial")
    partial.write_bytes(authority)
    return partial.replace(path)


def doubt(host: Path, registry: str) -> None:
    """Let the docker host in the folder `host` trust nobody in particular at a registry."""
    shutil.rmtree(_folder(host, registry), ignore_errors=True)


def forget(host: Path) -> None:
    """Let the docker host in the folder `host` trust nobody in particular any more."""
    shutil.rmtree(host / FOLDER, ignore_errors=True)


def check(registry: str) -> None:
    """BadRegistry if it is not HOST or HOST:PORT, as image names have it."""
    if not _REGISTRY.fullmatch(registry):
        raise BadRegistry(registry)


def _folder(host: Path, registry: str) -> Path:
    name = registry if os.name == "posix" else registry.replace(":", "")  # as docker does there
    return host / FOLDER / name


def _match(certificate: Path, key: Path) -> None:
    """Refused, in Go's words, if they are no certificate and its key."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key)
    except ssl.SSLError:
        raise Refused(f"tls: {_fault(_kinds(certificate), _kinds(key))}") from None


def _fault(certificate: Sequence[str], key: Sequence[str]) -> str:
    """What is wrong with two PEM files that have blocks of these kinds."""
    if not certificate:
        return "failed to find any PEM data in certificate input"
    if "CERTIFICATE" not in certificate:
        return (
            "failed to find certificate PEM data in certificate input, but did find a private key; "
            "PEM inputs may have been switched"
        )
    if not key:
        return "failed to find any PEM data in key input"
    if not any(kind.endswith("PRIVATE KEY") for kind in key):
        return "found a certificate rather than a key in the PEM for the private key"
    return "private key does not match public key"


def _kinds(path: Path) -> Sequence[str]:
    return _BLOCK.findall(path.read_text("ascii", "replace"))
