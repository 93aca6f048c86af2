"""Under which addresses other machines in the room reach this one."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NOT_OURS = re.compile(r"docker|br-|veth|virbr|vmnet|vboxnet|cni|podman|lxc|vEthernet", re.I)
_NAME = re.compile(r"(?!.{64})[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*")
_ANYWHERE = ("192.0.2.1", 9)  # RFC 5737; nothing is sent there


def is_open(host: str) -> bool:
    """Whether whoever listens on `host` is reached from other machines."""
    return host not in LOOPBACK and not host.startswith("127.")


def found() -> list[str]:
    """This machine's IPv4 addresses on networks that are up, the likeliest first."""
    import psutil

    states = psutil.net_if_stats()
    every = [
        each.address
        for name, addresses in psutil.net_if_addrs().items()
        if not _NOT_OURS.match(name) and (name not in states or states[name].isup)
        for each in addresses
        if each.family == socket.AF_INET and not ip_address(each.address).is_loopback
    ]
    usual = _on_the_way_out()
    return sorted(dict.fromkeys(every), key=lambda one: (one != usual, one.startswith("169.254.")))


def names(host: str) -> list[str]:
    """All by which a certificate should know this machine, when it listens on `host`."""
    own = socket.gethostname()
    hosts = [own, own.partition(".")[0] + ".local", host]
    known = [name for name in hosts if _NAME.fullmatch(name) and not _is_address(name)]
    return list(dict.fromkeys(["localhost", "127.0.0.1", "::1", *found(), *known, *_given(host)]))


def _given(host: str) -> list[str]:
    return [host] if _is_address(host) and not ip_address(host).is_unspecified else []


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _on_the_way_out() -> str:
    """The address from which packets to the world would come, "" without such a way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return ""
