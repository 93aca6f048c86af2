"""Whom a client believes beside the system's authorities, and how it shows who it is itself."""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Trust:
    """PEM files: certificates of authorities, and certificates of our own with their keys."""

    authorities: tuple[Path, ...] = ()
    identities: tuple[tuple[Path, Path], ...] = ()

    def context(self) -> ssl.SSLContext:
        """As Go's TLS has it: what is among the authorities is believed, whoever signed it.

        A block that is no certificate is passed over. OSError if a file cannot be read.
        """
        context = httpx.create_ssl_context()
        context.load_default_certs()
        context.hostname_checks_common_name = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        for path in self.authorities:
            for block in _CERTIFICATE.findall(path.read_text("ascii", "replace")):
                with suppress(ssl.SSLError, ValueError):
                    context.load_verify_locations(cadata=block + "\n")
        for certificate, key in self.identities:
            context.load_cert_chain(certificate, key)
        return context


def careless() -> ssl.SSLContext:
    """Any certificate is good enough."""
    return httpx.create_ssl_context(verify=False)
