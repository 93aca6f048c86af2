"""Where a name leads: the host that docker asks, and the port."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from dockerlab.image.grammar import HUB
from dockerlab.image.reference import Reference

OWNERS = {
    "gcr.io": "Google",
    "ghcr.io": "GitHub",
    "mcr.microsoft.com": "Microsoft",
    "public.ecr.aws": "Amazon",
    "quay.io": "Red Hat",
    "registry.gitlab.com": "GitLab",
    "registry.k8s.io": "Kubernetes",
}


class Place(NamedTuple):
    """A registry: `hub`, `here` (this very machine), `address` (an IP), `host`, or `nowhere`.

    `port` is empty where none is written: docker then takes 443, and on this machine also 80.
    """

    kind: str
    host: str
    port: str


def place(name: Reference) -> Place:
    """Where docker would look for `name`."""
    host, port = _split(name.registry)
    return Place(_kind(host, name.registry), host, port)


def _split(registry: str) -> tuple[str, str]:
    found = re.fullmatch(r"(\[.*\]|[^:]*)(?::([0-9]+))?", registry)
    return (found[1], found[2] or "") if found else (registry, "")


def _kind(host: str, registry: str) -> str:
    if registry in (HUB, ""):
        return "hub" if registry else "nowhere"
    if host == "localhost":
        return "here"
    try:
        return "here" if ipaddress.ip_address(host.strip("[]")).is_loopback else "address"
    except ValueError:
        return "host"
