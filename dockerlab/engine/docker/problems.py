"""Why a Docker Engine cannot be used, and what to do about it.

Problem (DockerlabError)          `origin` is who named the engine, `url` where it should be
├── BadAddress                    DOCKER_HOST is no address
├── UnknownContext                there is no docker context of that name
├── NotStarted                    nobody answers at its socket
│   └── Absent                    there is no such socket
├── NoPermission                  the socket is another's
├── Unreachable                   nobody answers at that host and port
├── Silent                        it takes connections and does not answer
├── Untrusted                     TLS does not come about
├── NotDocker                     something answers that is no Docker Engine
├── WindowsContainers             it runs Windows containers
└── TooOld                        it speaks an API older than the SDK's oldest
"""

from __future__ import annotations

import sys

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _


class Problem(DockerlabError):
    """The engine at `url`, named by `origin`, cannot be used; `detail` in technical English."""

    def __init__(self, origin: str, url: str, detail: str = "") -> None:
        super().__init__(origin, url, detail)
        self.origin, self.url, self.detail = origin, url, detail

    @property
    def is_named(self) -> bool:
        """Whether the learner asked for this very engine."""
        return self.origin != "socket"

    def message(self) -> str:
        what = self._what().format(url=self.url, detail=self.detail)
        if not self.is_named:
            return what
        named = _("{origin} says {url}.").format(origin=self.origin, url=self.url)
        return f"{named} {what}"

    def _what(self) -> str:
        return "{detail}"


class BadAddress(Problem):
    """DOCKER_HOST is no address of an engine."""

    def _what(self) -> str:
        return _(
            "That is no address of a Docker Engine. Write it as unix:///var/run/docker.sock or "
            "tcp://HOST:2375, or take it away (unset DOCKER_HOST)."
        )


class UnknownContext(Problem):
    """docker knows no context called `url`."""

    def _what(self) -> str:
        return _("There is no docker context “{url}”. “docker context ls” shows which there are.")


class NotStarted(Problem):
    """Nobody answers at the socket."""

    def _what(self) -> str:
        nobody = _("Docker is not running: nobody answers at {url}.")
        return f"{nobody} {start()}"


class Absent(NotStarted):
    """There is no socket."""

    def _what(self) -> str:
        absent = _("There is nothing at {url}: Docker is not running, or it is somewhere else.")
        return f"{absent} {start()}"


class NoPermission(Problem):
    """The socket belongs to others."""

    def _what(self) -> str:
        return _(
            "Docker runs, but you may not use it (permission denied at {url}). Join the group "
            "docker: sudo usermod -aG docker $USER, then log out and in again."
        )


class Unreachable(Problem):
    """Nobody answers at that host and port."""

    def _what(self) -> str:
        return _(
            "Nobody answers there ({detail}). Correct the address, or take it away to use the "
            "Docker of this machine (unset DOCKER_HOST, docker context use default)."
        )


class Silent(Problem):
    """It takes connections and does not answer in time."""

    def _what(self) -> str:
        return _(
            "Something is there at {url}, but it does not answer. Docker may still be starting: "
            "wait a little, or restart Docker."
        )


class Untrusted(Problem):
    """TLS does not come about."""

    def _what(self) -> str:
        return _(
            "No secure connection to {url}: {detail}. DOCKER_CERT_PATH must be the folder with "
            "that engine's ca.pem, cert.pem and key.pem."
        )


class NotDocker(Problem):
    """Something else answers."""

    def _what(self) -> str:
        return _("What answers at {url} is no Docker Engine: {detail}.")


class WindowsContainers(Problem):
    """The engine runs Windows containers, and the lessons' images are for Linux."""

    def _what(self) -> str:
        return _(
            "The Docker at {url} runs Windows containers, and registries are Linux containers. "
            "Right-click Docker's whale in the taskbar, “Switch to Linux containers…”."
        )


class TooOld(Problem):
    """The engine speaks API `detail`."""

    def _what(self) -> str:
        return _(
            "The Docker at {url} is too old for this course (API {detail}; 1.24 is needed). "
            "Install a newer Docker."
        )


class NoDocker(DockerlabError):
    """DOCKERLAB_ENGINE=docker asks for a Docker Engine, and none can be used."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(*problems)
        self.problems = problems

    def message(self) -> str:
        """What is wrong with each, and the way out."""
        asked = _("DOCKERLAB_ENGINE=docker asks for a Docker Engine, and none answers.")
        without = _("Without Docker, take that variable away: the course has an engine of its own.")
        return "\n".join([asked, *map(str, self.problems), without])


def start() -> str:
    """How Docker is started on this system."""
    if sys.platform == "linux":
        return _("Start it: sudo systemctl start docker (or open Docker Desktop).")
    return _("Open Docker Desktop and wait until its whale stands still.")
