"""The server's end of a notebook's channel to its kernel: what a kernel says goes out at once.

Otherwise a small message waits until the one before it is acknowledged (Nagle's algorithm), which
systems put off: an answer to a click then comes 40 ms later.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class Channel(ZMQChannelsWebsocketConnection):
    """Jupyter's own, without the wait."""

    def connect(self) -> Any:
        """Open it to the kernel."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
