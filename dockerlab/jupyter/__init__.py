"""JupyterLab as a process of its own, with settings apart from the learner's own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from dockerlab.engine import word
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _

if TYPE_CHECKING:
    import psutil

PORT = 8888
_READY = 120.0  # seconds; a first start on a slow disk takes long
_PATIENCE = 10.0  # seconds that kernels have left to end by themselves
_FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "IPYTHONDIR": "ipython",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}
_UNWANTED = (
    *("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_TOKEN", "JUPYTER_PREFERRED_DIR"),
    "VIRTUAL_ENV",  # IPython would take modules from it, even if we run in another one
)


class JupyterStopped(DockerlabError):
    """JupyterLab did not start, or broke down; `log` is the file that says why, `tail` its end."""

    def __init__(self, log: Path, tail: str) -> None:
        super().__init__(str(log), tail)
        self.log, self.tail = log, tail

    def message(self) -> str:
        """The last that JupyterLab said, and where to read the rest."""
        said = _("JupyterLab has stopped by itself. The whole story is in {log}.")
        return f"{self.tail}\n{said.format(log=self.log)}"


class Jupyter:
    """A JupyterLab on `folder`, started when this is made; ready when `is_ready` says so.

    It keeps what it must keep in `home`, listens on this machine only and asks for a token.
    `options` are further ones of its command line.
    """

    def __init__(self, folder: Path, home: Path, port: int = PORT, *options: str) -> None:
        self.home = home
        self._runtime = Path(tempfile.mkdtemp(prefix="runtime-", dir=home))
        self._log = home / "jupyterlab.log"
        self._base = self._token = ""
        self._deadline = time.monotonic() + _READY
        self._process = self._start(folder, port or _free_port(), options)

    def is_ready(self) -> bool:
        """Whether it answers; JupyterStopped if it never will."""
        if not self.is_running() or time.monotonic() > self._deadline:
            raise self._stopped()
        for info in self._runtime.glob("jpserver-*.json"):
            with suppress(ValueError, KeyError, OSError):  # not there yet
                server = json.loads(info.read_bytes())
                self._base, self._token = server["url"], server["token"]
                self._call("api", "GET")
                return True
        return False

    def is_running(self) -> bool:
        """Whether it has not ended; JupyterStopped if it broke down."""
        if self._process.poll():
            raise self._stopped()
        return self._process.returncode is None

    def url(self, path: str) -> str:
        """The address that opens `path` (`start.md`, `bn/00-start.ipynb`) in a browser."""
        return self.address(f"lab/tree/{path}")

    def address(self, path: str) -> str:
        """The address of any page of the server."""
        return f"{self._base}{quote(path)}?token={self._token}"

    def end(self, hurry: Callable[[], bool]) -> None:
        """End it with its kernels and terminals, gently until `hurry` says yes, and tidy up."""
        tree = _tree(self._process.pid)
        self._ask_to_end()
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.05)
        _kill(tree)
        self._process.wait()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _start(self, folder: Path, port: int, options: Sequence[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dockerlab.jupyter", "--no-browser"]
        command += [f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={port}", "--LabApp.default_url=/lab/tree/start.md"]
        command += [f"--LabApp.app_settings_dir={Path(__file__).parent / 'settings'}"]
        command += [f"--ServerApp.{name}={value}" for name, value in server_settings().items()]
        if sys.platform != "win32" and os.geteuid() == 0:
            command.append("--allow-root")
        word.lay()
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [*command, *options],
                cwd=self.home,
                env=environment(self.home) | {"JUPYTER_RUNTIME_DIR": str(self._runtime)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that Ctrl-C comes to us alone
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    def _stopped(self) -> JupyterStopped:
        log = self._log.read_text("utf-8", "replace")
        return JupyterStopped(self._log, "\n".join(log.splitlines()[-8:]))

    def _ask_to_end(self) -> None:
        try:
            self._call("api/shutdown", "POST")
        except (ValueError, OSError):  # it never was ready, or is gone already
            self._process.terminate()

    def _call(self, path: str, method: str) -> None:
        headers = {"Authorization": f"token {self._token}"}
        request = urllib.request.Request(self._base + path, method=method, headers=headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=5):
            pass


def server_settings() -> dict[str, object]:
    """How a Jupyter server of the course differs from others: settings of its `ServerApp`."""
    settings: dict[str, object] = {
        "kernel_websocket_connection_class": "dockerlab.jupyter.channel.Channel"
    }
    if sys.platform != "win32":  # a login shell would set the PATH anew
        shell = os.environ.get("SHELL") or "/bin/sh"
        settings["terminado_settings"] = {"shell_command": [shell]}
    return settings


def environment(home: Path) -> dict[str, str]:
    """The variables that keep Jupyter and IPython in `home`, whatever the learner has set."""
    surroundings = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    for name, folder in _FOLDERS.items():
        (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        surroundings[name] = str(home / folder)
    scripts = str(Path(sys.executable).parent)
    path = [scripts, os.environ.get("PATH", os.defpath), str(word.folder())]
    surroundings["PATH"] = os.pathsep.join(path)
    return surroundings


def hasten() -> None:
    """Let jsonschema, which all of Jupyter imports, do without what it does not need here.

    To import its grammar of international web addresses takes more than a second.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as if not installed


def trust(home: Path, notebooks: Iterable[Path]) -> None:
    """Sign notebooks that the course made, so that what they show is shown at once."""
    hasten()
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary(data_dir=environment(home)["JUPYTER_DATA_DIR"])
    try:
        for path in notebooks:
            notary.sign(nbformat.read(path, as_version=4))
    finally:
        notary.store.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _tree(pid: int) -> list[psutil.Process]:
    """A process and all that it started, directly or not."""
    import psutil

    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(tree: list[psutil.Process]) -> None:
    import psutil

    for process in psutil.wait_procs(tree, timeout=1)[1]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(tree, timeout=5)
