"""A Docker Engine, over docker's SDK for Python."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dockerlab.engine.docker.address import Address


class Docker:
    """The Docker Engine at `address`; nothing is opened until something is asked."""

    name = "docker"

    def __init__(self, address: Address, host: str = "default") -> None:
        self.address, self.host = address, host

    @cached_property
    def api(self) -> Any:
        """docker's own client, which has no types."""
        return self.address.client()

    @property
    def version(self) -> str:
        """The engine's version."""
        return str(self.api.version()["Version"])
