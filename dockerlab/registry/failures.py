"""Why there was no answer, in the words of Go's network library, which docker prints."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from dockerlab.errors import PlainHTTP, Unavailable

_CONNECT = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
}
_BROKEN = {
    errno.ECONNRESET: "read: connection reset by peer",
    errno.ECONNABORTED: "read: software caused connection abort",
    errno.EPIPE: "write: broken pipe",
}
# What OpenSSL calls bytes that are no TLS.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(.+)")
# What Go calls alerts that OpenSSL has another name for.
_ALERTS = {
    "unknown ca": "unknown certificate authority",
    "protocol version": "protocol version not supported",
}


def unavailable(
    error: Exception,
    method: str,
    url: str,
    *,
    dialling: bool,
    begun: bool,
    doubt: Callable[[ssl.SSLCertVerificationError], str],
) -> Unavailable:
    """What `error` means: one on the way to a connection, or after an answer had begun.

    `doubt` says why a certificate is not trusted.
    """
    for cause in _causes(error):
        if getattr(cause, "reason", None) in _NOT_TLS:
            return PlainHTTP(method=method, url=url)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unavailable(doubt(cause), method=method, url=url)
        detail = _detail(cause, url, dialling)
        if detail:
            return Unavailable(detail, method=method, url=url)
    words = str(error)
    if "disconnected" in words or "closed connection" in words:
        words = "unexpected EOF" if begun else "EOF"
    return Unavailable(words or type(error).__name__, method=method, url=url)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _detail(cause: BaseException, url: str, dialling: bool) -> str:
    host = urlsplit(url).hostname or ""
    if isinstance(cause, socket.gaierror):
        again = cause.errno == socket.EAI_AGAIN and not host.endswith(".invalid")  # RFC 6761
        words = "Temporary failure in name resolution" if again else "no such host"
        return f"dial tcp: lookup {host}: {words}"
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "reason", None) or "handshake failure"
        alert = _ALERT.fullmatch(reason)
        words = (alert[1] if alert else reason).lower().replace("_", " ")
        return f"remote error: tls: {_ALERTS.get(words, words)}" if alert else f"tls: {words}"
    if isinstance(cause, TimeoutError):
        return f"dial tcp {_address(url)}: i/o timeout" if dialling else "read: i/o timeout"
    if isinstance(cause, OSError):
        number = cause.errno
        if number == errno.EADDRNOTAVAIL and ":" not in host:
            number = errno.ECONNREFUSED  # by its IPv4; then came ::1, which this machine lacks
        if number in _CONNECT:
            return f"dial tcp {_address(url)}: connect: {_CONNECT[number]}"
        return _BROKEN.get(cause.errno or 0, cause.strerror or "")
    return ""


def _address(url: str) -> str:
    """IP address and port of `url`'s host; IPv4 where it has both, so that words are the same."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        address = min((str(entry[4][0]) for entry in found), key=lambda ip: ":" in ip)
    except OSError:
        address = parts.hostname or ""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def is_loopback(host: str) -> bool:
    """Whether `host` (`localhost:5000`, `[::1]`) is this machine itself."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
