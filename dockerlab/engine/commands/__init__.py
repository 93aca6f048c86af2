"""docker's command line over the embedded engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from dockerlab.engine.commands.parse import (
    COMMANDS,
    HelpWanted,
    Session,
    UsageError,
    flag,
    many,
    parse,
    parse_global,
    text,
)
from dockerlab.engine.embedded import Embedded
from dockerlab.errors import DockerlabError, EngineError, NeedsCLI, NeedsEngine
from dockerlab.i18n import _

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine

_PATIENCE = 2  # seconds, for another engine's answer
VERSION = "Docker version 28.2.2, build e6534b4"
_MODULES = (
    *("container", "lifecycle", "logs", "running", "execution", "inspect", "image", "transfer"),
    *("volume", "system", "context", "login"),
)


def _file(*name: str) -> str:
    return os.path.join(os.path.expanduser("~"), ".docker", *name)


_GLOBAL = (
    text("config", "", "Location of client config files", default=_file()),
    text(
        "context",
        "c",
        "Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and "
        'default context set with "docker context use")',
    ),
    flag("debug", "D", "Enable debug mode"),
    many("host", "H", "Daemon socket to connect to"),
    text(
        "log-level",
        "l",
        'Set the logging level ("debug", "info", "warn", "error", "fatal")',
        default="info",
    ),
    flag("tls", "", "Use TLS; implied by --tlsverify"),
    text(
        "tlscacert",
        "",
        "Trust certs signed only by this CA",
        default=_file("ca.pem"),
    ),
    text("tlscert", "", "Path to TLS certificate file", default=_file("cert.pem")),
    text("tlskey", "", "Path to TLS key file", default=_file("key.pem")),
    flag("tlsverify", "", "Use TLS and verify the remote"),
    flag("version", "v", "Print version information and quit"),
)


def run(
    argv: Sequence[str],
    engine: Engine,
    out: TextIO,
    err: TextIO,
    stdin: BinaryIO | None = None,
) -> int:
    """Carry out `docker ARGV` and return its exit status; a learner's mistake never raises."""
    _load()
    session = Session(engine, out, err, stdin)
    try:
        return _run(list(argv), session)
    except DockerlabError as error:
        if isinstance(error, NeedsEngine) and engine.name != "embedded":
            error = NeedsCLI(error.text, error.status)
        session.complain(str(error))
        if hint := getattr(error, "hint", ""):
            session.complain(hint)
        return int(getattr(error, "status", 1))
    except BrokenPipeError:
        raise
    except OSError as error:
        session.complain(unusable(error, engine))
        return 1
    except KeyboardInterrupt:
        return 130


def complete(words: Sequence[str], engine: Engine) -> list[str]:
    """What the last of `words` (after `docker`, maybe "") may become."""
    from dockerlab.engine.commands.completing import completions

    _load()
    return completions(list(words), engine)


def apart(words: Sequence[str]) -> tuple[int, str]:
    """Where the command begins in `docker WORDS`, and the docker context they name, or ""."""
    try:
        rest, options = parse_global(words, _GLOBAL)
    except (UsageError, HelpWanted):
        return 0, ""
    return len(words) - len(rest), str(options["context"] or "")


def _run(argv: list[str], session: Session) -> int:
    try:
        words, options = parse_global(argv, _GLOBAL)
    except HelpWanted:
        return _help([word for word in argv if word not in ("--help", "-h")], session)
    if options["version"]:
        session.print(VERSION)
        return 0
    if options["context"]:
        session.engine = _host(session.engine, options["context"])
    if not words:
        session.err.write(_top_page())
        return 0
    if words[0] == "help":
        return _help(words[1:], session)
    name, rest = find(words)
    if options["host"]:
        raise _elsewhere(options["host"][-1])
    if name in COMMANDS:
        return _command(name, rest, session)
    return _group(words, session)


def _command(name: str, rest: list[str], session: Session) -> int:
    from dockerlab.engine.commands.groups import ELSEWHERE

    found = COMMANDS[name]
    try:
        if name in ELSEWHERE and not {"--help", "-h"} & set(rest):
            rest = [word for word in rest if not word.startswith("-")]
        lacking = ("engine",) if session.engine.name == "embedded" else ("engine", "idle")
        arguments, options = parse(found, name, rest, lacking=lacking)
    except HelpWanted as wanted:
        if wanted.args:
            session.print(wanted.args[0])
        return _help(name.split(), session)
    if name in ELSEWHERE:
        raise NeedsEngine(f"docker {name}")
    if isinstance(session.engine, Embedded) and (wrong := session.engine.credentials.trouble):
        session.complain(f"WARNING: {wrong}")
    return found.action(session, *arguments, **options) or 0


def find(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command that `words` begin with, or "", and the words after it."""
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return name, list(words[length:])
    return "", list(words)


def _group(words: list[str], session: Session) -> int:
    """`docker GROUP`, or something that docker does not know."""
    from dockerlab.engine.commands.groups import GROUPS
    from dockerlab.engine.commands.help import group_page, subcommands

    group, rest = words[0], words[1:]
    if group not in GROUPS:
        raise UsageError(f"docker: unknown command: docker {group}", "docker", "", 1)
    if not subcommands(group):
        raise NeedsEngine(f"docker {group}")
    if not rest:
        session.err.write(group_page(group))
        return 0
    if rest[0] in ("--help", "-h"):
        return _help([group], session)
    path = f"docker {group}"
    if rest[0].startswith("--"):
        raise UsageError(f"unknown flag: {rest[0].partition('=')[0]}", path, path, 125)
    if rest[0].startswith("-"):
        message = f"unknown shorthand flag: '{rest[0][1:2]}' in {rest[0]}"
        raise UsageError(message, path, path, 125)
    usage = f"{path} COMMAND" if group in ("volume", "manifest") else path
    raise UsageError(f"docker: unknown command: {path} {rest[0]}", path, usage, 1)


def _help(words: list[str], session: Session) -> int:
    from dockerlab.engine.commands import help as pages
    from dockerlab.engine.commands.groups import GROUPS

    name, _rest = find(words)
    if name:
        session.out.write(pages.page(COMMANDS[name], name))
    elif words and words[0] in GROUPS and pages.subcommands(words[0]):
        session.out.write(pages.group_page(words[0]))
    elif words:
        raise EngineError(f"unknown help topic: {' '.join(words)}")
    else:
        session.out.write(_top_page())
    return 0


def _top_page() -> str:
    from dockerlab.engine.commands.help import top_page

    return top_page(_GLOBAL)


def _host(engine: Engine, name: str) -> Engine:
    from dockerlab.engine.commands.context import exists

    if name != engine.host and not exists(engine, name):
        raise EngineError(
            f'Failed to initialize: unable to resolve docker endpoint: context "{name}": '
            "context not found"
        )
    return engine if name == engine.host else engine.neighbour(name)


def _elsewhere(url: str) -> EngineError:
    """Why the engine at `url` does not carry out a command here."""
    from dockerlab.engine.docker import asking, places, problems

    try:
        asking.ask(places.at(url, "-H"), _PATIENCE)
    except problems.Problem:
        return EngineError(
            f"Cannot connect to the Docker daemon at {url}. Is the docker daemon running?"
        )
    return NeedsEngine("docker --host")


def unusable(error: OSError, engine: Engine) -> str:
    """What is said of a folder of the lab that cannot be read or written."""
    reason: Any = os.strerror(error.errno) if error.errno else error
    return _("dockerlab cannot use its folder {path}: {reason}.").format(
        path=error.filename or engine.place, reason=reason
    )


@cache
def _load() -> None:
    from dockerlab.engine.commands.groups import add_elsewhere

    for module in _MODULES:
        if find_spec(f"{__name__}.{module}"):
            import_module(f"{__name__}.{module}")
    add_elsewhere()
