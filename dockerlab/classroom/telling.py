"""What the instructor reads in the terminal: what is served, where, and for whom."""

from __future__ import annotations

import socket
from typing import NamedTuple

from dockerlab.classroom import addresses
from dockerlab.classroom.room import Room
from dockerlab.classroom.sizes import said
from dockerlab.i18n import _, digits, ngettext


class Ports(NamedTuple):
    """Where the three sites are."""

    registry: int
    page: int
    mirror: int | None


def opening(room: Room, host: str, ports: Ports, quota: int) -> str:
    """All that is to be known while the class goes on."""
    parts = (
        _title(room),
        _people(room),
        _registry(host, ports, quota),
        *([_mirror(host, ports.mirror)] if ports.mirror else []),
        _("Your own page, on this machine only: {address}").format(
            address=f"http://127.0.0.1:{ports.page}"
        ),
        _("What is asked of the registry is written into {path}").format(path=room.log),
        _reach(host, ports),
        _("Ctrl-C ends it; what was pushed stays for the next time."),
    )
    return "\n\n".join(parts) + "\n"


def moved(room: Room, host: str, ports: Ports) -> str:
    """That this machine has another address now."""
    address = where(host, ports.registry)
    said = _(
        "This machine's address has changed. Learners reach the class at {address} now; its seal "
        "is the same: {seal}"
    )
    return "\n" + said.format(address=address, seal=room.seal) + "\n"


def where(host: str, port: int) -> str:
    """HOST:PORT by which learners reach what listens on `host`."""
    if host == "0.0.0.0":
        host = next(iter(addresses.found()), "127.0.0.1")
    elif host == "::":
        host = socket.gethostname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _title(room: Room) -> str:
    said = _("Class “{name}”, seal {seal}")
    return said.format(name=room.name, seal=room.seal)


def _people(room: Room) -> str:
    if not room.learners:
        return "\n".join(
            (
                _("Nobody is in it yet. Names come from a file, one a line, or one by one:"),
                "    dockerlab classroom --learners FILE",
                "    dockerlab classroom --learner NAME",
            )
        )
    count = len(room.learners)
    said = ngettext("{count} learner is in it.", "{count} learners are in it.", count)
    return "\n".join(
        (
            said.format(count=digits(count))
            + " "
            + _("Slips with new passwords, for all or for some:"),
            "    dockerlab classroom slips [LOGIN]…",
        )
    )


def _registry(host: str, ports: Ports, quota: int) -> str:
    address = where(host, ports.registry)
    lines = (
        _("a learner's images begin with {name}").format(name=f"{address}/LOGIN/"),
        _("the course's images are there too: {name}").format(name=f"{address}/library/nginx"),
        _("each learner has room for {quota}").format(quota=digits(said(quota))),
    )
    title = _("Registry of the class: {address}").format(address=f"https://{address}")
    return "\n    ".join((title, *lines))


def _mirror(host: str, port: int) -> str:
    return _("Mirror of Docker Hub with the course's images: {address}").format(
        address=f"http://{where(host, port)}"
    )


def _reach(host: str, ports: Ports) -> str:
    here = addresses.found()
    if addresses.is_open(host):
        listed = " ".join(str(port) for port in (ports.registry, ports.mirror) if port)
        said = _(
            "OPEN TO THE NETWORK: every machine in the same network reaches the ports {ports} of "
            "this one ({addresses})."
        )
        shown = ", ".join(here) if host in ("0.0.0.0", "::") else host
        return said.format(ports=listed, addresses=shown or host)
    lines = [
        _("Only this machine reaches it now. To open it to the learners' machines:"),
        "    dockerlab classroom --host 0.0.0.0",
    ]
    if here:
        lines.append(_("This machine's addresses: {addresses}").format(addresses=", ".join(here)))
    else:
        lines.append(_("This machine is in no network at the moment."))
    return "\n".join(lines)
