"""Real Docker Engines for tests, beside the one that DOCKER_HOST names: a second docker host.

Each has folders of its own, `/etc/docker` included, so nothing of the machine's is changed.
They need root, and Debian's docker.io and iproute2.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.dockers import Result, real

FIRST, SECOND = "192.168.56.100", "192.168.56.101"
_PROGRAMS = ("docker", "dockerd", "ip", "nsenter", "unshare", "setpriv", "mount")
WITH_US = ("setpriv", "--pdeathsig", "TERM")  # a program that ends when we do, come what may
_OWN_ETC = """\
mount --bind "$0" /etc/docker
for name in hosts resolv.conf; do
  if [ -e "$0/$name" ]; then mount --bind "$0/$name" "/etc/$name"; fi
done
exec "$@"
"""
_NETWORKS = Path("/var/run/netns")
_NO_TABLES = ("--iptables=false", "--ip6tables=false")


def missing() -> str:
    """What this machine lacks to start engines; "" if nothing."""
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} is not installed"
    return "" if os.geteuid() == 0 else "only root can start a Docker Engine"


class Daemon:
    """A dockerd whose settings (daemon.json, certs.d) are in `etc`; `host` is its DOCKER_HOST.

    `hosts` and `resolv.conf`, if there before it starts, are its own too.
    """

    def __init__(
        self, folder: Path, command: Sequence[str], env: Mapping[str, str], namespace: str
    ) -> None:
        self.namespace = namespace
        self.folder = folder
        self.etc = folder / "etc"
        self.etc.mkdir(parents=True, exist_ok=True)
        self.host = f"unix://{folder / 'docker.sock'}"
        self._settings = self.etc / "daemon.json"
        self._log = folder / "dockerd.log"
        self._command, self._env = command, {**os.environ, **env}
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *argv: str) -> Result:
        """The docker CLI on this engine."""
        return real("docker", *argv, host=self.host)

    def docker(self, *argv: str) -> str:
        """What the docker CLI prints on this engine, both streams together."""
        result = self.run(*argv)
        return result.out + result.err

    def good(self, *argv: str) -> str:
        """Standard output of a command that must succeed."""
        result = self.run(*argv)
        assert result.status == 0, result
        return result.out

    def configure(self, **settings: object) -> None:
        """Write daemon.json (`insecure_registries=[…]`); a running engine reads it at once."""
        named = {name.replace("_", "-"): value for name, value in settings.items()}
        self._settings.write_text(json.dumps(named), encoding="utf-8")
        if self._process is None:
            return
        seen = self._log.read_text(errors="replace").count("Reloaded configuration")
        self._process.send_signal(signal.SIGHUP)
        self._until(lambda text: text.count("Reloaded configuration") > seen)

    def trust(self, registry: str, certificate: Path) -> None:
        """Put `certificate` where docker looks for the CA of `registry` (HOST:PORT)."""
        folder = self.etc / "certs.d" / registry
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(certificate, folder / "ca.crt")

    def start(self) -> None:
        """Start it; ready when it answers."""
        folders = (("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid"))
        options = [f"--{option}={self.folder / name}" for option, name in folders]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command, "-H", self.host, *options],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._until(lambda text: "API listen on" in text)

    def stop(self) -> None:
        """End it and its containers."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _until(self, told: Callable[[str], bool]) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 60
        while not told(log := self._log.read_text(errors="replace")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd does not do as it should:\n{log[-4000:]}")
            time.sleep(0.05)


@contextmanager
def daemon(
    folder: Path,
    *flags: str,
    namespace: str = "",
    bridge: bool = False,
    env: Mapping[str, str] | None = None,
) -> Iterator[Daemon]:
    """A running dockerd in `folder`; `bridge`: its containers have a network and can be reached.

    Without a `namespace` it is in our network, with a bridge of its own: one that wants none takes
    that of another engine away.
    """
    enter = ["nsenter", f"--net={_NETWORKS / namespace}"] if namespace else []
    unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _OWN_ETC]
    command = [*enter, *unshare, str(folder / "etc"), *WITH_US, "dockerd", *flags]
    with ExitStack() as stack:
        if not namespace:
            command += [f"--bridge={stack.enter_context(_bridge())}", *_NO_TABLES]
        elif not bridge:
            command += ["--bridge=none", *_NO_TABLES]
        engine = Daemon(folder, command, env or {}, namespace)
        engine.start()
        stack.callback(engine.stop)
        yield engine


@contextmanager
def _bridge() -> Iterator[str]:
    name = f"lab{os.getpid()}"
    _ip("link", "add", name, "type", "bridge")
    try:
        _ip("address", "add", "192.168.57.1/24", "dev", name)
        _ip("link", "set", name, "up")
        yield name
    finally:
        _ip("link", "delete", name)


@contextmanager
def second_daemon(
    folder: Path, *flags: str, bridge: bool = False, env: Mapping[str, str] | None = None
) -> Iterator[Daemon]:
    """A docker host at SECOND, in a network of its own; this machine is FIRST for it."""
    with (
        network() as namespace,
        daemon(folder, *flags, namespace=namespace, bridge=bridge, env=env) as engine,
    ):
        yield engine


@contextmanager
def network() -> Iterator[str]:
    """A network namespace that is joined with ours by a cable; its name."""
    for left in _NETWORKS.glob("dockerlab-*"):  # of tests that were killed
        if not Path("/proc", left.name.partition("-")[2]).exists():
            _unplug(left.name)
    name, here, there = (f"{kind}{os.getpid()}" for kind in ("dockerlab-", "here", "there"))
    _ip("netns", "add", name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("address", "add", f"{FIRST}/24", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", name, "address", "add", f"{SECOND}/24", "dev", there)
        for link in ("lo", there):
            _ip("-n", name, "link", "set", link, "up")
        yield name
    finally:
        _unplug(name)


def _unplug(name: str) -> None:
    """Delete a network: its cable first, which would linger."""
    with suppress(subprocess.CalledProcessError):
        _ip("-n", name, "link", "delete", name.replace("dockerlab-", "there"))
    _ip("netns", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)
