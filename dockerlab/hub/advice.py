"""What `dockerlab hub` tells a learner: what it has, and how a Docker Engine is led to it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dockerlab.hub.mirror import stands_in
from dockerlab.hub.packing import PROGRAM
from dockerlab.hub.stock import Stock
from dockerlab.i18n import _

_PODMAN = """\
    [[registry]]
    location = "docker.io"
    [[registry.mirror]]
    location = "{address}"
    insecure = true"""


def advice(host: str, port: int, stock: Stock, cache: Path | None = None) -> str:
    """All that is to be known while it runs; `cache` is where more images are kept."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = f"[{near}]:{port}" if ":" in near else f"{near}:{port}"
    parts = (
        f"{stands_in()} http://{address}",
        "\n".join(_line(name, origin) for name, origin in sorted(stock.names.items())),
        *([_fetched(cache)] if cache else []),
        *([] if stock.names["registry:2"] else [_no_registry()]),
        _setting(address, port),
        _("Ctrl-C ends it."),
    )
    return "\n\n".join(parts) + "\n"


def _line(name: str, origin: str) -> str:
    return f"    {name:24} {origin}".rstrip()


def _fetched(cache: Path) -> str:
    said = _("All other images it fetches from the real Docker Hub, once, and keeps in {path}.")
    return said.format(path=cache)


def _no_registry() -> str:
    lines = [
        _("On a Docker Engine, registry:2 from here starts no registry, it only says so."),
        _("A real one comes in a file that is made where there is internet:"),
        "    docker pull registry:2",
        "    docker save -o registry.tar registry:2",
        "    dockerlab hub --image registry.tar",
    ]
    if sys.platform == "linux":
        lines += [
            _("or is packed from {program}, once this machine has that:").format(program=PROGRAM),
            f"    sudo apt install {PROGRAM}",
        ]
    return "\n".join(lines)


def _setting(address: str, port: int) -> str:
    return "\n".join(
        (
            _("One setting leads a Docker Engine here before it asks Docker Hub."),
            _("You add it to the engine's daemon.json; dockerlab does not touch that file:"),
            "",
            "    " + json.dumps({"registry-mirrors": [f"http://{address}"]}),
            "",
            _("Linux: in {path}, then {command}").format(
                path="/etc/docker/daemon.json", command="sudo systemctl reload docker"
            ),
            _(
                "Docker Desktop: Settings > Docker Engine, Apply & restart; there write {address}"
            ).format(address=f"http://host.docker.internal:{port}"),
            _("Rootless Docker: in {path}, then {command}").format(
                path="~/.config/docker/daemon.json", command="systemctl --user restart docker"
            ),
            _("Podman: in {path}").format(path="/etc/containers/registries.conf"),
            _PODMAN.format(address=address),
            "",
            _(
                "A rootless engine, or one on another machine, does not reach 127.0.0.1 here: "
                "start this with --host 0.0.0.0 and write this machine's own address."
            ),
            _("“docker info” shows under Registry Mirrors that it has the setting."),
            _("While this runs, the names above mean these images, for your own work too."),
            _("Take the setting away again when you are done with the course."),
        )
    )
