"""The ports that the lessons need, and who has them."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from dockerlab.course.outline import lessons
from dockerlab.doctor.finding import FAULT, OK, WARNING, Finding
from dockerlab.engine import current
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _, digits

JUPYTER = 8888
_AIRPLAY = (5000, 7000)
_HERE = "127.0.0.1"


@dataclass(frozen=True)
class Holder:
    """Who has a port: a container of the lab's (`ours`) or another one, else a program, or ""."""

    container: str = ""
    ours: bool = False
    program: str = ""


def ports() -> list[Finding]:
    """Each port that a lesson needs, and JupyterLab's."""
    held = _containers()
    return [judge(port, who(port, held), needed) for port, needed in wanted().items()]


def wanted() -> dict[int, list[str]]:
    """Each port, and the numbers of the lessons that need it; none for JupyterLab's."""
    found: dict[int, list[str]] = {}
    for lesson in lessons():
        begins = lesson.begins
        numbers = {*begins.get("ports", ()), *(r["port"] for r in begins.get("registries", ()))}
        for port in numbers:
            number = lesson.name.partition("-")[0]
            needed = found.setdefault(port, [])
            if number.isdecimal():
                needed.append(str(int(number)))
    return {**dict(sorted(found.items())), JUPYTER: []}


def who(port: int, containers: Mapping[int, Holder]) -> Holder | None:
    """Who has the port; None if it is free."""
    if port in containers:
        return containers[port]
    return Holder(program=_program(port)) if _is_taken(port) else None


def judge(port: int, holder: Holder | None, needed: list[str], system: str = "") -> Finding:
    """Whether a lesson can have the port."""
    name, label = f"port-{port}", _("Port {port}").format(port=port)
    if holder is None:
        return Finding(name, label, OK, _("free"))
    if holder.ours:
        value = _("in use by the lab's own container {name}").format(name=holder.container)
        return Finding(name, label, OK, value)
    if port == JUPYTER:
        value = _taker(holder)
        return Finding(name, label, WARNING, value, _("JupyterLab takes the next free one."))
    fix = _("Needed in lessons {numbers}.").format(numbers=digits(", ".join(needed)))
    return Finding(name, label, FAULT, _taker(holder), f"{_remedy(port, holder, system)} {fix}")


def _taker(holder: Holder) -> str:
    if holder.container:
        return _("taken by your container {name}").format(name=holder.container)
    if holder.program:
        return _("taken by the program {name}").format(name=holder.program)
    return _("taken by another program")


def _remedy(port: int, holder: Holder, system: str) -> str:
    if holder.container:
        return f"docker stop {holder.container}."
    if port in _AIRPLAY and (system or sys.platform) == "darwin":
        return _(
            "Switch AirPlay Receiver off: System Settings, General, AirDrop and Handoff, AirPlay "
            "Receiver."
        )
    return _("End that program for the time of the class.")


def _containers() -> dict[int, Holder]:
    """The ports that running containers publish, on all engines."""
    found: dict[int, Holder] = {}
    engines = list(Embedded().hosts())
    with suppress(DockerlabError, OSError):
        engines += [each for each in current().hosts() if each.name != Embedded.name]  # type: ignore[misc]
    for engine in engines:
        with suppress(DockerlabError, OSError):
            for one in engine.containers.list():
                holder = Holder(one.name, engine.owns(one.config["Labels"]))
                found |= {int(port): holder for port in one.published if one.running}
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        if probe.connect_ex((_HERE, port)) == 0:
            return True
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere this option would share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HERE, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _program(port: int) -> str:
    """Name and number of the process that listens there, or "" if the system does not tell."""
    import psutil

    with suppress(psutil.Error, OSError):
        for one in psutil.net_connections("tcp"):
            if (
                one.status == psutil.CONN_LISTEN
                and one.laddr
                and one.laddr.port == port
                and one.pid
            ):
                return f"{psutil.Process(one.pid).name()} ({one.pid})"
    return ""
