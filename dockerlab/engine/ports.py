"""What `-p` says, and which ports of this machine are free.

publish = [ [ ip ":" ] [ port-or-range ] ":" ] port-or-range [ "/" protocol ]
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dockerlab.errors import EngineError

LOOPBACK = "127.0.0.1"
_WORDS = {  # as Go says them, whatever the platform
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
}


@dataclass(frozen=True)
class Binding:
    """Publish `container` ("5000/tcp") on `ip` and `host` (a port or a range); "" is not said."""

    container: str
    ip: str
    host: str

    @property
    def address(self) -> str:
        """Where it is published: only on this machine, unless an address was asked for."""
        return self.ip or LOOPBACK


def parse(spec: str) -> list[Binding]:
    """The bindings of one `-p`; EngineError in docker's words."""
    *front, inside = spec.split(":")
    host = front.pop() if front else ""
    ip = ":".join(front)
    ip = ip[1:-1] if ip.startswith("[") and ip.endswith("]") else ip
    inside, _, protocol = inside.partition("/")
    if ip and not _is_address(ip):
        raise EngineError(f"invalid IP address: {ip}")
    if not inside:
        raise EngineError(f"no port specified: {spec}<empty>")
    ports, hosts = _range(inside, "containerPort"), _range(host, "hostPort") if host else range(0)
    if host and len(ports) != len(hosts) and len(ports) != 1:
        raise EngineError(
            f"invalid ranges specified for container and host Ports: {inside} and {host}"
        )
    protocol = protocol.lower() or "tcp"
    if protocol not in ("tcp", "udp", "sctp"):
        raise EngineError(f"invalid proto: {protocol}")
    if len(ports) == 1:
        return [Binding(f"{ports[0]}/{protocol}", ip, host)]
    chosen: Sequence[int | str] = hosts or [""] * len(ports)
    return [
        Binding(f"{port}/{protocol}", ip, str(wanted))
        for port, wanted in zip(ports, chosen, strict=True)
    ]


def allocate(binding: Binding, taken: Iterable[tuple[str, int]]) -> int:
    """A free port for `binding`; EngineError in docker's words if there is none.

    `taken`: address and port of what other containers have published.
    """
    wanted = _range(binding.host, "hostPort") if binding.host else range(1)
    taken, refusal = list(taken), ""
    for port in wanted:
        if any(port and port == other and _overlap(binding.address, ip) for ip, other in taken):
            refusal = f"Bind for {binding.address}:{port} failed: port is already allocated"
            continue
        try:
            return _bind(binding, port)
        except OSError as error:
            reason = _WORDS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
            address = f"[{binding.address}]" if ":" in binding.address else binding.address
            kind = binding.container.partition("/")[2] + ("6" if ":" in binding.address else "4")
            refusal = (
                f"Error starting userland proxy: listen {kind} {address}:{port}: bind: {reason}"
            )
    raise EngineError(refusal)


def are_open(published: Mapping[str, Sequence[Mapping[str, str]]]) -> bool:
    """Whether somebody takes connections wherever a container's TCP ports are published."""
    entries = [
        entry for port, found in published.items() for entry in found if port.endswith("/tcp")
    ]
    try:
        for entry in entries:
            address = ipaddress.ip_address(entry["HostIp"])
            host = LOOPBACK if address.is_unspecified else str(address)
            socket.create_connection((host, int(entry["HostPort"])), timeout=1).close()
    except OSError:
        return False
    return True


def _bind(binding: Binding, port: int) -> int:
    """Take the port for a moment, to see whether it is free; 0 lets the system choose."""
    family = socket.AF_INET6 if ":" in binding.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if binding.container.endswith("/udp") else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if os.name == "posix":  # elsewhere this option would share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((binding.address, port))
        if kind == socket.SOCK_STREAM:
            probe.listen(1)
        return int(probe.getsockname()[1])


def _overlap(one: str, other: str) -> bool:
    return one == other or any(ipaddress.ip_address(ip).is_unspecified for ip in (one, other))


def _range(text: str, what: str) -> range:
    first, dash, last = text.partition("-")
    try:
        start, end = _port(first), _port(last if dash else first)
    except ValueError:
        raise EngineError(f"invalid {what}: {text}") from None
    if end < start:
        raise EngineError(f"invalid {what}: {text}")
    return range(start, end + 1)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise ValueError(text)
    return int(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
