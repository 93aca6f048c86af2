"""A Jupyter server as a browser uses it: kernels and terminals over their websockets.

`python -m tests.labs URL TOKEN NOTEBOOK…` is a learner there: she runs notebooks, all in one
kernel, and types into a terminal.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websocket import WebSocket, create_connection


class Lab:
    """The server at `url` (it ends in a slash)."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._headers = {"Authorization": f"token {token}"}

    def call(self, path: str, method: str = "GET", /, **body: Any) -> Any:
        """What its REST interface answers."""
        data = json.dumps(body).encode() if body else b"" if method == "POST" else None
        headers = self._headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def at(self, path: str) -> Lab:
        """Another server, below this one."""
        return Lab(self._url + path, self._token)

    def wait(self, path: str = "api") -> None:
        """Until it answers."""
        for _ in range(600):
            with suppress(OSError):
                self.call(path)
                return
            time.sleep(0.1)
        raise TimeoutError(self._url)

    @contextmanager
    def kernel(self, notebook: str) -> Iterator[Kernel]:
        """A kernel as if `notebook` were opened, gone afterwards."""
        wish = {"path": notebook, "name": notebook, "type": "notebook"}
        session = self.call("api/sessions", "POST", **wish, kernel={"name": "python3"})
        channel = self._open(f"api/kernels/{session['kernel']['id']}/channels")
        try:
            yield Kernel(channel)
        finally:
            channel.close()
            self.call(f"api/sessions/{session['id']}", "DELETE")

    def type(self, line: str, until: str) -> str:
        """What a new terminal prints after `line` is typed, as far as `until`."""
        name = self.call("api/terminals", "POST")["name"]
        channel = self._open(f"terminals/websocket/{name}")
        printed = ""
        try:
            channel.send(json.dumps(["stdin", f"{line}\r"]))
            while until not in printed:
                kind, *words = json.loads(channel.recv())
                printed += words[0] if kind == "stdout" else ""
        finally:
            channel.close()
            self.call(f"api/terminals/{name}", "DELETE")
        return printed

    def _open(self, path: str) -> WebSocket:
        headers = [f"{name}: {value}" for name, value in self._headers.items()]
        address = "ws" + self._url.removeprefix("http") + path
        return create_connection(address, timeout=60, header=headers)


class Kernel:
    """A kernel at the other end of `channel`."""

    def __init__(self, channel: WebSocket) -> None:
        self._channel = channel

    def run(self, code: str) -> str:
        """What `code` writes to its streams, when it is done."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": "", "session": "tests"}
        content = {"code": code, "silent": False, "stop_on_error": False, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._channel.send(json.dumps(message | {"channel": "shell"}))
        written = ""
        while True:
            said = json.loads(self._channel.recv())
            if said["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if said["msg_type"] == "stream":
                written += said["content"]["text"]
            if said["msg_type"] == "status" and said["content"]["execution_state"] == "idle":
                return written


def main(url: str, token: str, *notebooks: str) -> None:
    """Wait for the server; run all code cells of notebooks in one kernel; tell what was seen."""
    lab = Lab(url, token)
    lab.wait()
    opened = [lab.call(f"api/contents/{name}")["content"] for name in notebooks]
    pythons = {notebook["metadata"]["language_info"]["version"] for notebook in opened}
    cells = [cell for notebook in opened for cell in notebook["cells"]]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    with lab.kernel(notebooks[0]) as kernel:
        for cell in cells:
            kernel.run(cell["source"])
        ran = kernel.run("%docker run -d -p 5000:5000 --name last registry:2")
    typed = lab.type("docker ps; echo $((6*7))", "42")
    trusted = all(cell["metadata"]["trusted"] for cell in cells)
    seen = {"trusted": trusted, "pythons": sorted(pythons), "ran": ran, "typed": typed}
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
