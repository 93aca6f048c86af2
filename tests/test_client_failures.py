"""Why there was no answer, in the words that docker would use."""

import errno
import socket
import ssl

import pytest

from dockerlab.registry.failures import is_loopback, unavailable


def failure(cause: Exception, url: str = "https://host.example:5000/v2/") -> str:
    error = RuntimeError("outer")
    error.__cause__ = cause
    return unavailable(error, "GET", url, dialling=True, begun=False, doubt=doubt).detail


def doubt(error: ssl.SSLCertVerificationError) -> str:
    return f"x509: {error.verify_message}"


def certificate_error(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("cause", "detail"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "dial tcp: lookup host.example: no such host"),
        (
            socket.gaierror(socket.EAI_AGAIN, "x"),
            "dial tcp: lookup host.example: Temporary failure in name resolution",
        ),
        (certificate_error(62, "wrong host"), "x509: wrong host"),
        (OSError(errno.ECONNRESET, "reset"), "read: connection reset by peer"),
        (OSError(errno.EPIPE, "pipe"), "write: broken pipe"),
        (OSError(errno.ENOTCONN, "Not connected"), "Not connected"),
    ],
)
def test_failures_in_the_words_of_go(cause: Exception, detail: str) -> None:
    assert failure(cause) == detail


def test_what_is_called_invalid_is_nowhere_with_or_without_internet() -> None:
    for number in (socket.EAI_NONAME, socket.EAI_AGAIN):
        said = failure(socket.gaierror(number, "x"), "http://nosuch.invalid:5000/v2/")
        assert said == "dial tcp: lookup nosuch.invalid: no such host"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (TimeoutError("timed out"), "i/o timeout"),
        (OSError(errno.EHOSTUNREACH, "x"), "connect: no route to host"),
        (OSError(errno.ENETUNREACH, "x"), "connect: network is unreachable"),
    ],
)
def test_failures_name_the_address(cause: Exception, words: str) -> None:
    assert failure(cause, "http://127.0.0.1:5000/v2/") == f"dial tcp 127.0.0.1:5000: {words}"
    assert failure(cause, "https://127.0.0.1/v2/") == f"dial tcp 127.0.0.1:443: {words}"
    assert failure(cause, "http://[::1]:5000/v2/") == f"dial tcp [::1]:5000: {words}"


def test_an_ipv6_that_the_machine_lacks_is_not_the_reason() -> None:
    """`localhost` is ::1 too in a container's /etc/hosts, and that is tried last."""
    lacking = OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
    refused = "dial tcp 127.0.0.1:5000: connect: connection refused"
    assert failure(lacking, "http://localhost:5000/v2/") == refused
    assert failure(lacking, "http://[::1]:5000/v2/") == "Cannot assign requested address"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "127.0.0.1", "127.9.9.9:1", "[::1]:1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["docker.io", "localhost.example:1", "10.0.0.1", "[::2]", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)
