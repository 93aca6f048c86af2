"""Checks of what a registry lets in, keeps, gives up and caches."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from dockerlab.course.checks.state import Seen, State, check
from dockerlab.engine.commands.format import size
from dockerlab.engine.serving import carry_out
from dockerlab.errors import DockerlabError, Unauthorized, Unavailable
from dockerlab.registry.client import Registry

_RAHIM, _KARIM = ("rahim", "rongdhonu"), ("karim", "nodi")
_DRY_RUN = "registry garbage-collect --dry-run /etc/docker/registry/config.yml"
_ELIGIBLE = re.compile(r"(\d+) blobs and (\d+) manifests eligible for deletion")


@check("karim-too")
def _second_user(state: State, answer: Any) -> Seen:
    if _lets_in(state, "", ""):
        return "open", {}
    if not _lets_in(state, *_KARIM):
        return "refused", {}
    return ("ok" if _lets_in(state, *_RAHIM) else "first-gone"), {}


@check("disk-freed")
def _disk_freed(state: State, answer: Any) -> Seen:
    if "v1" in state.tags("my-image"):
        return "not-deleted", {}
    said = StringIO()
    carry_out(["exec", "registry", *_DRY_RUN.split()], state.engine, said, said)
    left = _ELIGIBLE.search(said.getvalue())
    if left is None:
        return "not-run", {}
    if blobs := int(left[1]):
        return "not-collected", {"blobs": blobs}
    return "ok", {"size": size(state.engine.volumes.size("registry-data"), 4)}


@check("keep-latest")
def _keep_latest(state: State, answer: Any) -> Seen:
    latest, second = state.manifest("my-image", "latest"), state.manifest("my-image", "v2")
    if latest is None:
        return ("no-latest" if second else "all-gone"), {}
    if second is None:
        return "ok", {}
    return ("both" if latest.digest == second.digest else "moved"), {}


@check("cached-away")
def _cached_away(state: State, answer: Any) -> Seen:
    here = {each.name: each for each in state.engine.containers.list() if each.running}
    if "cache" not in here:
        return "no-cache", {}
    bound = here["cache"].state.ports.get("5000/tcp") or [{"HostPort": "5001"}]
    cache = f"localhost:{bound[0]['HostPort']}"
    with state.engine.connect(cache) as registry:
        if "registry" in here:
            known = "hello-registry" in registry.catalog()
            return ("still-up" if known else "not-cached"), {"cache": cache}
        try:
            manifest = registry.manifest("hello-registry", "latest")
            for blob in (*manifest.blobs[:1], *manifest.blobs[-1:]):  # others need not be its own
                registry.find_blob("hello-registry", blob.digest)
        except Unavailable:
            raise
        except DockerlabError:
            return "too-late", {"cache": cache}
    return "ok", {"cache": cache}


def _lets_in(state: State, user: str, password: str) -> bool:
    with Registry(state.registry, username=user, password=password) as registry:
        try:
            registry.ping()
        except Unauthorized:
            return False
    return True
