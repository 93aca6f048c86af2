"""Checks of a second host that trusts a registry with a certificate, and logs in to it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dockerlab.course.checks.state import Seen, State, check, missing, same
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import Unauthorized, Unavailable


@check("other-host-secure")
def _other_host_secure(state: State, answer: Any) -> Seen:
    if key := _open_door(state):
        return key, {}
    try:
        there = state.manifest("my-image", "latest")
    except Unauthorized:
        return "no-login", {}
    if there is None:
        return missing(state, "my-image")
    name = state.from_other("my-image:latest")
    facts = {"name": name, "there": name.partition("/")[0]}
    host2 = state.other.engine
    if isinstance(host2, Embedded) and host2.daemon.is_insecure(facts["there"]):
        return "insecure", facts
    pulled = state.image(name, host2)
    if pulled is None:
        return _obstacle(state, facts["there"]), facts
    return ("ok" if same(there, pulled) else "different"), facts


def _open_door(state: State) -> str:
    """What a stranger finds amiss at the registry: no TLS, or no password; "" if all is well."""
    from dockerlab.registry.client import Exchange, Registry

    seen: list[Exchange] = []
    with Registry(state.registry, observe=seen.append) as registry, suppress(Unauthorized):
        registry.ping()
    if seen[-1].scheme != "https":
        return "no-tls"
    return "" if seen[-1].status == 401 else "no-password"


def _obstacle(state: State, registry: str) -> str:
    """Why the second host cannot have pulled; of a learner's own nothing is known here."""
    host2 = state.other.engine
    if isinstance(host2, Embedded):
        with host2.connect(registry) as client:
            try:
                client.ping()
            except Unauthorized:
                return "no-login-there"
            except Unavailable as error:
                return "untrusted" if "x509" in str(error) else "not-pulled"
    return "not-pulled"
