"""Checks of the capstone: a team's registry, looked at from outside, whatever came first."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerlab.course.checks.state import Seen, State, check, same
from dockerlab.errors import NotFound, Unauthorized, Unavailable

if TYPE_CHECKING:
    from dockerlab.engine.container import Container
    from dockerlab.image.manifest import Manifest
    from dockerlab.registry.client import Registry
    from dockerlab.registry.events import Event

CONTAINER, VOLUME, INSIDE = "team-registry", "team-data", "/var/lib/registry"
USERS = {"mina": "cloud-4-mina", "rafi": "rain-4-rafi"}  # as the lesson tells everybody
KEPT, OLD = ("team/web:1.0", "team/api:1.0"), "team/old:0.1"
_PATIENCE = 5  # seconds for an answer
_WRITTEN, _PAUSE = 2.0, 0.05  # seconds until a request must be in the log
_LISTENS = "listening on"  # says a registry's log at each start
_LATER = 5  # seconds between a container's making and what is surely another start of it
_DELETE = "REGISTRY_STORAGE_DELETE_ENABLED"
_EXPIRED, _NOT_YET = 10, 9  # OpenSSL's numbers: X509_V_ERR_…
_OTHER_NAME = (62, 64)


class Team:
    """The registry in the container team-registry, as it is found from outside."""

    def __init__(self, state: State) -> None:
        self.engine, self.state = state.engine, state

    @cached_property
    def container(self) -> Container | None:
        """The container, whether it runs or not."""
        known = self.engine.containers.list()
        found = next((one for one in known if one.name == CONTAINER), None)
        return self.engine.containers.find(found.id) if found else None

    @property
    def port(self) -> str:
        """Where this machine publishes it; "" if nowhere."""
        ports = self.container.state.ports if self.container else {}
        lines = ports.get("5000/tcp") or next(filter(None, ports.values()), ())
        return lines[0]["HostPort"] if lines else ""

    @property
    def address(self) -> str:
        """What image names on this machine call it."""
        return f"localhost:{self.port or 5000}"

    def name(self, image: str) -> str:
        """What the second host calls an image of it."""
        return f"{self.state.other.first}:{self.port or 5000}/{image}"

    def client(self, user: str = "", password: str = "") -> Registry:
        """A client, with that login if any."""
        from dockerlab.registry.client import Registry

        return Registry(self.address, username=user, password=password, silence=_PATIENCE)

    def lets_in(self, user: str = "", password: str = "") -> bool:
        """Whether somebody gets in; Unavailable if nobody answers."""
        with self.client(user, password) as registry:
            try:
                registry.ping()
            except Unauthorized:
                return False
        return True

    @cached_property
    def login(self) -> tuple[str, str] | None:
        """A login that gets in, of the team's or the lab's; None if none does."""
        stored = self.engine.credentials.find(self.address)
        logins = [*USERS.items(), *([(stored.username, stored.password)] if stored else [])]
        return next((one for one in logins if self.lets_in(*one)), None)

    def manifest(self, image: str) -> Manifest | None:
        """What it holds under that name."""
        repository, _, tag = image.partition(":")
        with self.client(*self.login or ()) as registry:
            try:
                return registry.manifest(repository, tag)
            except NotFound:
                return None

    def knew(self, image: str) -> bool:
        """Whether its repository is there: a registry remembers it when an image is deleted."""
        with self.client(*self.login or ()) as registry:
            return image.partition(":")[0] in registry.catalog()

    @property
    def down(self) -> Seen | None:
        """Why it cannot be looked into, if it cannot."""
        try:
            if _runs(self) is None:
                return None if self.login else ("locked", {})
        except Unavailable:
            pass
        return "down", {}


@check("team-up")
def _up(state: State, answer: Any) -> Seen:
    team = Team(state)
    try:
        found = _runs(team) or _certified(team) or _guarded(team) or _lasting(team)
    except Unavailable:
        found = "silent", {}
    return found or ("ok", {"address": team.address})


@check("team-filled")
def _filled(state: State, answer: Any) -> Seen:
    team = Team(state)
    if team.down:
        return team.down
    for image in (*KEPT, OLD):
        if team.manifest(image) or (image == OLD and team.knew(image)):
            continue
        name = f"{team.address}/{image}"
        key = "not-pushed" if state.image(name) else "not-tagged"
        return key, {"name": name, "image": image}
    return "ok", {}


@check("team-clean")
def _clean(state: State, answer: Any) -> Seen:
    team = Team(state)
    if team.down:
        return team.down
    if team.manifest(OLD):
        return ("still-there" if _may_delete(team) else "forbidden"), {"image": OLD}
    if not team.knew(OLD):
        return "never-there", {"image": OLD, "address": team.address}
    gone = [image for image in KEPT if not team.manifest(image)]
    return ("too-much", {"image": gone[0]}) if gone else ("ok", {"image": OLD})


@check("team-delivered")
def _delivered(state: State, answer: Any) -> Seen:
    team = Team(state)
    if team.down:
        return team.down
    there, name = team.manifest(KEPT[0]), team.name(KEPT[0])
    if there is None:
        return "not-there", {"image": KEPT[0]}
    if _believes_anything(state, name.partition("/")[0]):
        return "insecure", {}
    pulled = state.image(name, state.other.engine)
    if pulled is None:
        return "not-pulled", {"name": name}
    return ("ok" if same(there, pulled) else "different"), {"name": name}


@check("team-restarted")
def _restarted(state: State, answer: Any) -> Seen:
    team = Team(state)
    if team.down:
        return team.down
    gone = [image for image in KEPT if not team.manifest(image)]
    if gone:
        return "lost", {"image": gone[0]}
    return ("never" if len(_pushed(team)) == len(KEPT) else "ok"), {}


def _runs(team: Team) -> Seen | None:
    if team.container is None:
        return "absent", {}
    if not team.container.running:
        return "stopped", {}
    return None if team.port else ("hidden", {})


def _certified(team: Team) -> Seen | None:
    """What is wrong with the certificate for this host's names, if anything."""
    for name in ("localhost", team.state.other.first):
        try:
            _greet(int(team.port), name)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in (_EXPIRED, _NOT_YET):
                return "expired", {}
            other = error.verify_code in _OTHER_NAME
            return ("other-name" if other else "stranger"), {"name": name}
        except ssl.SSLError:  # it is no TLS that comes back
            return "plain", {}
        except OSError:
            return "silent", {}
    return None


def _greet(port: int, name: str) -> None:
    """Shake hands as a client that trusts the lab's authority, or the one in certs/, only."""
    from dockerlab.engine.home import home

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in (home() / "authority" / "ca.crt", Path("certs", "ca.crt")):
        with suppress(OSError, ssl.SSLError):  # not there, or no certificate
            context.load_verify_locations(path)
    with (
        socket.create_connection(("localhost", port), timeout=_PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=name),
    ):
        pass


def _guarded(team: Team) -> Seen | None:
    """Who gets in and should not, or does not and should."""
    if team.lets_in() or team.lets_in(secrets.token_hex(4), "x"):  # a name that nobody has
        return "open", {}
    refused = [user for user, password in USERS.items() if not team.lets_in(user, password)]
    return ("refused", {"user": refused[0]}) if refused else None


def _lasting(team: Team) -> Seen | None:
    assert team.container
    mounted = [one for one in team.container.mounts if one.get("Destination") == INSIDE]
    if any(one.get("Name") == VOLUME for one in mounted):
        return None
    return "forgetful", {"volume": VOLUME}


def _may_delete(team: Team) -> bool:
    """Whether its variables let it delete; a file of the learner's may say so, too."""
    assert team.container
    variables = dict(each.partition("=")[::2] for each in team.container.config["Env"] or ())
    configured = any(one["Destination"].startswith("/etc/") for one in team.container.mounts)
    return configured or variables.get(_DELETE, "").lower() == "true"


def _believes_anything(state: State, registry: str) -> bool:
    """Whether the second host's daemon was told to trust it without a certificate."""
    from dockerlab.engine.embedded import Embedded

    other = state.other.engine
    return isinstance(other, Embedded) and other.daemon.is_insecure(registry)


def _pushed(team: Team) -> set[str]:
    """Which of the images to keep were pushed since the registry started, as its log tells."""
    from dockerlab.engine.commands.format import parse_time

    assert team.container
    asked = _asked(team, team.container)
    if not asked:  # by such a log nobody knows: is this another start than the first?
        started, made = team.container.state.started, team.container.created
        again = (parse_time(started) - parse_time(made)).total_seconds() > _LATER
        return set() if again else set(KEPT)
    targets = {"/v2/{}/manifests/{}".format(*image.split(":")): image for image in KEPT}
    return {
        targets[each.target]
        for each in asked
        if each.method == "PUT" and each.status == 201 and each.target in targets
    }


def _asked(team: Team, container: Container) -> list[Event]:
    """What a log has since the last start; nothing if not even what we have just asked."""
    from dockerlab.registry.events import parse

    deadline = time.monotonic() + _WRITTEN
    while time.monotonic() < deadline:
        log = b"".join(piece for _, piece in team.engine.containers.output(container)).decode(
            errors="replace"
        )
        asked = parse(log.rpartition(_LISTENS)[2].split("\n"))
        if any(each.status == 200 for each in asked):
            return asked
        time.sleep(_PAUSE)
    return []
