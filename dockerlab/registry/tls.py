"""The server's side of TLS: a certificate and its key, checked before anybody connects."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.settings import TLS


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
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ssl.PEM_cert_to_DER_cert(_first(certificate, "CERTIFICATE"))
    except ValueError:
        reason = f"no certificate in {certificate}; a PEM file is wanted"
        raise SettingsError("http.tls.certificate", reason) from None
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _Locked:
        reason = f"the key in {key} is locked with a password; it has to be there without one"
        raise SettingsError("http.tls.key", reason) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = f"{key} is not the key of {certificate}"
        else:
            reason = f"no key that fits {certificate} in {key}; a PEM file is wanted"
        raise SettingsError("http.tls.key", reason) from None


def _first(path: Path, kind: str) -> str:
    """The first block of that kind in a PEM file."""
    text = path.read_text("ascii", "replace")
    _, begin, rest = text.partition(f"-----BEGIN {kind}-----")
    body, end, _ = rest.partition(f"-----END {kind}-----")
    return begin + body + end + "\n"


class _Locked(Exception):
    pass


def _no_password() -> str:
    raise _Locked
