"""A kernel for the measurements."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jupyter_client.manager import start_new_kernel


@contextmanager
def kernel(engine: str) -> Iterator[Callable[[str], str]]:
    """A kernel with a lab of its own on `engine`: runs code, and returns what that printed."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"DOCKERLAB_HOME": home, "DOCKERLAB_ENGINE": engine}
        manager, client = start_new_kernel(kernel_name="python3")
        said: list[str] = []

        def collect(message: dict[str, dict[str, str]]) -> None:
            if message["msg_type"] in ("stream", "error"):
                said.append(message["content"].get("text") or str(message["content"]))

        def execute(code: str) -> str:
            said.clear()
            client.execute_interactive(code, timeout=300, output_hook=collect)
            return "".join(said)

        try:
            execute("%load_ext dockerlab")
            yield execute
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
