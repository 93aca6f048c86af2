"""Why a server's certificate is not believed, in the words of Go's crypto/x509: docker's words.

OpenSSL is the judge, but does not tell what the certificate says. So it is fetched once more, for
the words alone, and looked at in Go's order: its time, its names, who signed it.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from ipaddress import ip_address
from typing import Any

_PATIENCE = 5  # seconds
_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME
_RSA = bytes.fromhex("06092a864886f70d010101")  # in the key of a certificate (RFC 8017)
_TIME, _UNTRUSTED, _NAME = {9, 10}, {18, 19, 20, 21}, {62, 64}  # OpenSSL's verify results
_EXPIRED = "x509: certificate has expired or is not yet valid"
_UNKNOWN = "x509: certificate signed by unknown authority"
_PURPOSE = 26
Facts = Mapping[str, Any]  # as SSLSocket.getpeercert() has them


def refusal(
    error: ssl.SSLCertVerificationError, name: str, address: tuple[str, int], trust: ssl.SSLContext
) -> str:
    """What Go would say of the certificate of the server `name`, which is at `address`."""
    code = error.verify_code
    if code not in _TIME | _UNTRUSTED | _NAME:
        usage = "certificate specifies an incompatible key usage"
        return f"x509: {usage if code == _PURPOSE else error.verify_message}"
    facts: Facts = {}
    with suppress(OSError, ValueError):
        facts = _shown(name, address)
    if found := facts and (_untimely(facts) or _misnamed(facts, name)):
        return found
    if code in _TIME:
        return _EXPIRED
    return (
        _UNKNOWN + _suspect(facts, trust) if code in _UNTRUSTED else f"x509: {error.verify_message}"
    )


def _shown(name: str, address: tuple[str, int]) -> Facts:
    """What the server's certificate says, whether one may believe it or not."""
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE
    with _shake(anything, name, address) as connection:
        raw = connection.getpeercert(binary_form=True)
    if not raw:
        return {}
    itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Python explains only what it believes
    itself.check_hostname = False
    itself.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    itself.load_verify_locations(cadata=raw)
    with _shake(itself, name, address) as connection:
        return connection.getpeercert() or {}


def _shake(context: ssl.SSLContext, name: str, address: tuple[str, int]) -> ssl.SSLSocket:
    wire = socket.create_connection(address, _PATIENCE)
    try:
        return context.wrap_socket(wire, server_hostname=name)
    except BaseException:
        wire.close()
        raise


def _untimely(facts: Facts) -> str:
    now = datetime.now().astimezone().replace(microsecond=0)
    for key, word in (("notBefore", "before"), ("notAfter", "after")):
        limit = datetime.fromtimestamp(ssl.cert_time_to_seconds(facts[key]), timezone.utc)
        if now < limit if word == "before" else now > limit:
            return f"{_EXPIRED}: current time {_rfc3339(now)} is {word} {_rfc3339(limit)}"
    return ""


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _misnamed(facts: Facts, host: str) -> str:
    """Why the certificate is not one of `host`; "" if it is."""
    listed = facts.get("subjectAltName", ())
    try:
        wanted = str(ip_address(host))
    except ValueError:
        names = [value for kind, value in listed if kind == "DNS"]
        fits, wanted, is_address = any(_matches(name, host) for name in names), host, False
    else:
        names = list(_addresses(listed))
        fits, is_address = wanted in names, True
    if fits:
        return ""
    if "subjectAltName" not in facts and _matches(_of(facts["subject"], "commonName"), host):
        return "x509: certificate relies on legacy Common Name field, use SANs instead"
    if is_address and not names:
        return (
            f"x509: cannot validate certificate for {host} because it doesn't contain any IP SANs"
        )
    if not names:
        return f"x509: certificate is not valid for any names, but wanted to match {host}"
    return f"x509: certificate is valid for {', '.join(names)}, not {host}"


def _addresses(listed: Any) -> Iterator[str]:
    for kind, value in listed:
        if kind == "IP Address":
            with suppress(ValueError):
                yield str(ip_address(value.strip()))


def _matches(pattern: str, host: str) -> bool:
    """Label by label, whatever the case; the first one may be a star."""
    known, asked = (text.lower().rstrip(".").split(".") for text in (pattern, host))
    first = known[0] in ("*", asked[0])
    return bool(pattern) and first and len(known) == len(asked) and known[1:] == asked[1:]


def _of(name: Any, key: str) -> str:
    """The first value of that kind in a subject or an issuer."""
    return next((value for part in name for kind, value in part if kind == key), "")


def _suspect(facts: Facts, trust: ssl.SSLContext) -> str:
    """An authority that is trusted and bears the signer's name, but has another key."""
    for known, raw in zip(trust.get_ca_certs(), trust.get_ca_certs(True), strict=True):
        if facts and known["subject"] == facts["issuer"]:
            subject = known["subject"]
            name = _of(subject, "commonName") or _of(subject, "organizationName")
            name = name or f"serial:{int(str(known['serialNumber']), 16)}"
            is_rsa = _RSA in raw
            why = "crypto/rsa: verification error" if is_rsa else "x509: ECDSA verification failure"
            return (
                f' (possibly because of "{why}" while trying to verify candidate authority '
                f"certificate {json.dumps(name, ensure_ascii=False)})"
            )
    return ""
