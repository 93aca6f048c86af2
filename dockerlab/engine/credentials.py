"""Logins, kept as docker's command line keeps them: in the lab's own docker config.

{"auths": {"localhost:5001": {"auth": base64(user:password)}}}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from dockerlab.engine import state
from dockerlab.engine.gojson import Broken, kind, parse

FILE, FOLDER = "config.json", "docker-config"
HUB = "docker.io"
HUB_KEY = "https://index.docker.io/v1/"  # as docker has called it since its first version
_GO_TYPE = "map[string]types.AuthConfig"


@dataclass(frozen=True)
class Login:
    """Who somebody is at a registry."""

    username: str
    password: str = field(repr=False)


class Credentials:
    """The logins in the config.json of one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @property
    def trouble(self) -> str:
        """What is wrong with the file, in docker's words; "" if nothing is."""
        return self._read()[1]

    def find(self, registry: str) -> Login | None:
        """The login for a registry as image names call it."""
        entries = self._entries(self._read()[0])
        wanted = key(registry)
        found = [entries[wanted]] if wanted in entries else []
        found += [entry for name, entry in entries.items() if hostname(name) == wanted]
        return _login(found[0]) if found else None

    @property
    def registries(self) -> list[str]:
        """The registries that somebody is logged in to, as image names call them."""
        entries = self._entries(self._read()[0])
        known = {
            HUB if name == HUB_KEY else hostname(name) for name in entries if _login(entries[name])
        }
        return sorted(known)

    def store(self, registry: str, login: Login) -> bool:
        """Keep a login; whether it is another one than before."""
        with locked(self.path.parent):
            settings = self._read()[0]
            entries = self._entries(settings)
            if (before := entries.get(key(registry))) and _login(before) == login:
                return False
            packed = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
            entries[key(registry)] = {"auth": packed}
            self._write(settings, entries)
        return True

    def erase(self, server: str) -> None:
        """Forget a login, whichever way its registry is written."""
        host = hostname(server)
        names = {server, host, f"http://{host}", f"https://{host}"} if server else {HUB_KEY}
        with locked(self.path.parent):
            settings = self._read()[0]
            entries = self._entries(settings)
            if names & entries.keys():
                kept = {name: entry for name, entry in entries.items() if name not in names}
                self._write(settings, kept)

    def _entries(self, settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
        entries = settings.get("auths")
        found = entries.items() if isinstance(entries, dict) else ()
        return {name: entry for name, entry in found if isinstance(entry, dict)}

    def _write(self, settings: dict[str, Any], entries: dict[str, dict[str, Any]]) -> None:
        state.write(self.path, settings | {"auths": dict(sorted(entries.items()))}, indent="\t")

    def _read(self) -> tuple[dict[str, Any], str]:
        """The settings as far as they can be read, and what is wrong with the file."""
        try:
            settings = parse(self.path.read_text(encoding="utf-8", errors="replace"))
            if not isinstance(settings, dict):
                raise Broken(_mistaken(settings, "value", "configfile.ConfigFile"))
        except FileNotFoundError:
            return {}, ""
        except Broken as error:
            return {}, f"Error parsing config file ({self.path}): {error}"
        except OSError as error:
            reason = (error.strerror or "").lower()
            return {}, f"Error loading config file: open {self.path}: {reason}"
        wrong = _wrong(settings.get("auths"))
        return settings, f"Error parsing config file ({self.path}): {wrong}" if wrong else ""


def hostname(server: str) -> str:
    """A registry as image names call it: without a scheme or a path."""
    if "://" in server:
        try:
            host = urlsplit(server).netloc.rpartition("@")[2]
        except ValueError:
            host = ""
        if host:
            return host
    return server.partition("/")[0]


def key(registry: str) -> str:
    """Under which name docker keeps the login for it."""
    return HUB_KEY if registry in ("", HUB, HUB_KEY) else hostname(registry)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The config.json in `folder` is ours to change."""
    with FileLock(folder / f".{FILE}.lock"):
        yield


def _login(entry: dict[str, Any]) -> Login | None:
    """Who an entry says that one is; None if it says nothing."""
    username, password = entry.get("username"), entry.get("password")
    if packed := entry.get("auth"):
        try:
            text = base64.b64decode(packed, validate=True).decode("utf-8", "replace")
        except (ValueError, TypeError):
            return None
        username, _, password = text.partition(":")
    if not isinstance(username, str) or not isinstance(password, str) or not username:
        return None
    return Login(username, password.strip("\0"))


def _wrong(entries: object) -> str:
    """What Go would not read of `auths`."""
    if entries is None:
        return ""
    if not isinstance(entries, dict):
        return _mistaken(entries, "struct field ConfigFile.auths", _GO_TYPE)
    for entry in entries.values():
        if not isinstance(entry, dict | None):
            return _mistaken(entry, "struct field ConfigFile.auths", "types.AuthConfig")
        for name in ("username", "password", "auth"):
            if not isinstance((entry or {}).get(name), str | None):
                where = f"struct field AuthConfig.auths.{name}"
                return _mistaken((entry or {})[name], where, "string")
        if wrong := _undecodable((entry or {}).get("auth") or ""):
            return wrong
    return ""


def _undecodable(packed: str) -> str:
    try:
        content = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        plain = packed.replace("+", "a").replace("/", "a")
        bad = (place for place, sign in enumerate(plain) if not (sign.isascii() and sign.isalnum()))
        return f"illegal base64 data at input byte {next(bad, len(packed) // 4 * 4)}"
    return "Invalid auth configuration file" if packed and b":" not in content else ""


def _mistaken(value: object, where: str, wanted: str) -> str:
    into = where if where.startswith("struct") else f"value of type {wanted}"
    of_type = f" of type {wanted}" if where.startswith("struct") else ""
    return f"json: cannot unmarshal {kind(value)} into Go {into}{of_type}"
