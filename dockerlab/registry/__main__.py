"""The command line of the real `registry`: `python -m dockerlab.registry serve CONFIG`, and
`… garbage-collect [--dry-run] [--delete-untagged] CONFIG`, which also takes serve's options.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from dockerlab.registry import journal
from dockerlab.registry.collect import CollectError, collect
from dockerlab.registry.configuration import SettingsError
from dockerlab.registry.process import ServeError, leave
from dockerlab.registry.serve import as_inside, configured, placing
from dockerlab.registry.serve import main as serve

_COMMANDS = """\
Usage:
  registry [flags]
  registry [command]

Available Commands:
  garbage-collect `garbage-collect` deletes layers not referenced by any manifests
  help            Help about any command
  serve           `serve` stores and distributes Docker images

Flags:
  -h, --help   help for registry

Use "registry [command] --help" for more information about a command.
"""
_SEE = "Run 'registry --help' for usage.\n"
_GARBAGE = "`garbage-collect` deletes layers not referenced by any manifests\n\n"
_USAGE = """\
Usage:
  registry garbage-collect <config> [flags]

Flags:
  -m, --delete-untagged   delete manifests that are not currently referenced via tag
  -d, --dry-run           do everything except remove the blobs
  -h, --help              help for garbage-collect
  -q, --quiet             silence output
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, and give its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    name, rest = (words[0], words[1:]) if words else ("", [])
    if name == "help":
        name, rest = (rest[0] if rest else "--help"), ["--help"]
    if name == "serve":
        return serve(rest)
    if name == "garbage-collect":
        return _garbage_collect(rest)
    if name in ("", "-h", "--help"):
        print("`registry`\n\n" * bool(name) + _COMMANDS, end="")
        return 0
    if name.startswith("-"):
        sys.stderr.write(f"Error: {_unknown(name)}\n{_COMMANDS}\n")
    else:
        sys.stderr.write(f'Error: unknown command "{name}" for "registry"\n{_SEE}')
    return 1


def _garbage_collect(words: Sequence[str]) -> int:
    try:
        given = _parsed(words)
    except _Wrong as error:
        sys.stderr.write(f"Error: {error}\n{_USAGE}\n")
        return 1
    if given.help:
        print(_GARBAGE + _USAGE, end="")
        return 0
    config = next(iter(given.config), None)
    try:
        if not (config or given.root or os.environ.get("REGISTRY_CONFIGURATION_PATH")):
            raise ServeError(None, "configuration error: configuration path unspecified")
        settings = configured(config, given.root, place=placing(given.place))
    except (SettingsError, ServeError) as error:
        said = error.named(os.environ) if isinstance(error, SettingsError) else error
        sys.stderr.write(f"{as_inside(str(said), given.place)}\n{_USAGE}")
        return 1
    journal.configure(settings.level, settings.log.formatter, settings.log.fields)
    try:
        collect(
            settings.storage.filesystem.rootdirectory,
            _silent if given.quiet else _say,
            dry_run=given.dry_run,
            untagged=given.delete_untagged,
        )
    except CollectError as error:
        sys.stderr.write(as_inside(f"{error}\n", given.place))
        return 1
    return 0


class _Wrong(Exception):
    """A flag that cannot be used; `str()` of it says why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Wrong(message)


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("config", nargs="*")
    for short, name in (("-m", "--delete-untagged"), ("-d", "--dry-run"), ("-q", "--quiet")):
        parser.add_argument(short, name, action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--place", nargs=2, action="append", default=[])
    given, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        raise _Wrong(_unknown(unknown[0]))
    return given


def _unknown(flag: str) -> str:
    """As the real one says it."""
    if flag.startswith("--"):
        return f"unknown flag: {flag.partition('=')[0]}"
    return f"unknown shorthand flag: {flag[1:2]!r} in {flag}"


def _say(line: str) -> None:
    print(line, flush=True)


def _silent(_line: str) -> None:
    """Where the lines of a quiet collection go."""


if __name__ == "__main__":
    leave(main())
