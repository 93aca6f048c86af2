"""The lab's own certificate authority, and certificates for registries that it vouches for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

_ORGANISATION = "dockerlab"
_LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Certificate:
    """Three PEM files: the authority's certificate, the server's, and the server's key."""

    ca: Path
    certificate: Path
    key: Path


def authority(folder: Path) -> Path:
    """The certificate of the authority in `folder`, which is made if it is not there."""
    from filelock import FileLock

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(folder / "ca.lock"):
        _authority(folder)
    return folder / "ca.crt"


def issue(
    folder: Path, *names: str, authority: Path | None = None, expired: bool = False
) -> Certificate:
    """A certificate for a server with these names and addresses, put into `folder`.

    It is from the authority in the folder `authority`, else in `folder` itself, which is made at
    the first call, and stays; its certificate is in `folder` at any rate. ValueError, and `folder`
    is as it was, for a name that no certificate can bear; OSError if a folder cannot be used.
    """
    from filelock import FileLock

    if not names or not all(map(_is_name, names)):
        raise ValueError("a certificate needs names of hosts, or their addresses")
    home = authority or folder
    stem = re.sub(r"[^A-Za-z0-9.-]", "_", names[0])
    stem = f"{stem}_" if stem.lower() == "ca" else stem  # the authority's own files
    certificate = Certificate(folder / "ca.crt", folder / f"{stem}.crt", folder / f"{stem}.key")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(home / "ca.lock"):
        issuer = _authority(home)
        made = issuer.issue_cert(
            *names,
            organization_name=_ORGANISATION,
            organization_unit_name="a registry of the lab",
            not_after=_LONG_AGO if expired else None,
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if authority:
            _write(certificate.ca, issuer.cert_pem.bytes(), 0o644)
        _write(certificate.certificate, made.cert_chain_pems[0].bytes(), 0o644)
        _write(certificate.key, made.private_key_pem.bytes(), 0o600)
    return certificate


def _is_name(name: str) -> bool:
    """Whether it looks like a host's name or an address; what ends in a number is an address."""
    try:
        ip_address(name)
    except ValueError:
        return not re.search(r"[/@]|(?:^|\.)\d+\.?$", name)
    return True


def _authority(folder: Path) -> trustme.CA:
    import trustme

    certificate, key = folder / "ca.crt", folder / "ca.key"
    try:
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    except (FileNotFoundError, ValueError):  # none yet, or a broken one
        made = trustme.CA(
            organization_name=_ORGANISATION, organization_unit_name="the lab's own authority"
        )
        _write(key, made.private_key_pem.bytes(), 0o600)
        _write(certificate, made.cert_pem.bytes(), 0o644)
        return made


def _write(path: Path, content: bytes, mode: int) -> None:
    """At once and whole, and never readable by more than `mode` allows."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
