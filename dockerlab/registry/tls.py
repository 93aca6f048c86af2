"""The server's side of TLS: a certificate and its key, checked before anybody connects."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.settings import TLS

# Granian ends the whole process over a certificate that it does not like, so we look before.
# DER, RFC 5280 § 4.1: two sequences, and a version that is said, as it is from version 2 on.
_V3 = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)" * 2 + rb"\xa0", re.DOTALL)
_KEYS = (  # the kind of the key, as it stands in the certificate: RFC 3279, 5480, 8410
    bytes.fromhex("06092a864886f70d010101"),
    bytes.fromhex("06082a8648ce3d030107"),
    bytes.fromhex("06052b81040022"),
    bytes.fromhex("06032b6570"),
)
_NO_KEY = ("key", "no key that fits {certificate} in {key}; a PEM file is wanted")
_UNFIT = {  # by OpenSSL's word
    "KEY_VALUES_MISMATCH": ("key", "{key} is not the key of {certificate}"),
    "EE_KEY_TOO_SMALL": ("certificate", "the key of {certificate} is too short to be safe"),
}


@dataclass(frozen=True)
class Secure:
    """What the server needs to speak HTTPS; `http2` beside HTTP/1.1, as the client likes (ALPN)."""

    certificate: Path
    key: Path
    minimum: str = "tls1.2"
    http2: bool = True
    clients: Path | None = None

    def granian(self) -> dict[str, Any]:
        """The same in Granian's words."""
        from granian.constants import HTTPModes, SSLProtocols

        minimum = {"tls1.2": SSLProtocols.tls12, "tls1.3": SSLProtocols.tls13}[self.minimum]
        return {
            "http": HTTPModes.auto if self.http2 else HTTPModes.http1,
            "ssl_cert": self.certificate,
            "ssl_key": self.key,
            "ssl_protocol_min": minimum,
            "ssl_ca": self.clients,
            "ssl_client_verify": self.clients is not None,
        }


def secure(tls: TLS, *, http2: bool = True) -> Secure | None:
    """How the settings want it, None for plain HTTP; SettingsError names what cannot be used."""
    if not (tls.certificate and tls.key):
        return None
    for name in ("certificate", "key"):
        _readable(f"http.tls.{name}", getattr(tls, name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, tls.certificate, tls.key)
    clients = None
    if tls.clientcas:
        if len(tls.clientcas) > 1:
            raise SettingsError("http.tls.clientcas", "put all certificates into one file")
        clients = tls.clientcas[0]
        _readable("http.tls.clientcas", clients)
        try:
            context.load_verify_locations(clients)
        except ssl.SSLError:
            raise SettingsError("http.tls.clientcas", f"no certificate in {clients}") from None
    return Secure(tls.certificate, tls.key, tls.minimumtls, http2, clients)


def _readable(setting: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise SettingsError(setting, f"open {path}: {reason}") from None


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        der = ssl.PEM_cert_to_DER_cert(_first(certificate))
    except ValueError:
        reason = f"no certificate in {certificate}; a PEM file is wanted"
        raise SettingsError("http.tls.certificate", reason) from None
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _Locked:
        reason = f"the key in {key} is locked with a password; it has to be there without one"
        raise SettingsError("http.tls.key", reason) from None
    except ssl.SSLError as error:
        setting, reason = _UNFIT.get(error.reason, _NO_KEY)
        reason = reason.format(certificate=certificate, key=key)
        raise SettingsError(f"http.tls.{setting}", reason) from None
    if not _V3.match(der):
        reason = f"{certificate} is of version 1; clients want version 3, with subjectAltName"
        raise SettingsError("http.tls.certificate", reason)
    if not any(kind in der for kind in _KEYS):
        reason = f"{key} is not of a kind that is supported: RSA, P-256, P-384, Ed25519"
        raise SettingsError("http.tls.key", reason)


def _first(path: Path) -> str:
    """The first certificate of a PEM file, which is the server's own."""
    text = path.read_text("ascii", "replace")
    _, begin, rest = text.partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    return begin + body + end + "\n"


class _Locked(Exception):
    pass


def _no_password() -> str:
    raise _Locked
