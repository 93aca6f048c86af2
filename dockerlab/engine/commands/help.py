"""docker's help pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockerlab.engine.commands.groups import GROUPS, TOPICS
from dockerlab.engine.commands.parse import COMMANDS, Command, Option

_WIDTH = 79
_SLOP = 5  # a line may be that much longer if a lone short word would follow
_NARROWEST = 24
_END = "For more help on how to use Docker, head to https://docs.docker.com/go/guides/"


def page(found: Command, name: str) -> str:
    """The help of one command under that name."""
    parts = [f"Usage:  {found.use_line(name)}", found.about or found.summary]
    if len(found.names) > 1:
        parts.append("Aliases:\n  " + ", ".join(f"docker {other}" for other in found.names))
    if found.options:
        options = [*found.options]
        if any(option.short == "h" for option in options):
            options.append(Option("help", help="Print usage"))
        parts.append("Options:\n" + flags(options))
    return "\n\n".join(parts) + "\n"


def group_page(group: str) -> str:
    """The help of `docker GROUP`."""
    return (
        f"Usage:  docker {group} COMMAND\n\n{GROUPS[group]}\n\nCommands:\n"
        f"{_list(subcommands(group))}\n\n"
        f"Run 'docker {group} COMMAND --help' for more information on a command.\n"
    )


def top_page(options: Iterable[Option]) -> str:
    """The help of docker itself."""
    parts = ["Usage:  docker [OPTIONS] COMMAND", "A self-sufficient runtime for containers"]
    summaries = {name: found.summary for name, found in COMMANDS.items()} | GROUPS
    for title, names in TOPICS.items():
        parts.append(f"{title}:\n{_list({name: summaries[name] for name in names})}")
    parts.append("Global Options:\n" + flags(options))
    parts.append("Run 'docker COMMAND --help' for more information on a command.")
    return "\n\n".join([*parts, _END]) + "\n"


def subcommands(group: str) -> dict[str, str]:
    """The commands of a group, without their other spellings, and what each does."""
    found = {
        name.removeprefix(group + " "): known.summary
        for name, known in COMMANDS.items()
        if name.startswith(group + " ")
        and next(other for other in known.names if other.startswith(group + " ")) == name
    }
    return dict(sorted(found.items()))


def flags(options: Iterable[Option]) -> str:
    """The list of flags, wrapped as pflag does."""
    lines = []
    listed = (option for option in options if option.support != "unlisted")
    for option in sorted(listed, key=lambda option: option.name):
        short = f"-{option.short}, " if option.short else "    "
        kind = "" if option.kind == "bool" else f" {option.kind}"
        lines.append((f"  {short}--{option.name}{kind}", option.help + _default(option)))
    start = max(len(left) for left, _ in lines) + 3
    return "\n".join(f"{left:<{start}}{_wrap(help, start)}" for left, help in lines)


def _default(option: Option) -> str:
    if not option.default:
        return ""
    value = f'"{option.default}"' if option.kind == "string" else str(option.default).lower()
    return f" (default {value})"


def _wrap(text: str, start: int) -> str:
    width = _WIDTH - start
    if width < _NARROWEST:
        start, width = 16, _WIDTH - 16
    lines = []
    while text:
        line, text = _first_line(text, width - _SLOP)
        lines.append(line)
    return ("\n" + " " * start).join("\n".join(lines).split("\n"))


def _first_line(text: str, width: int) -> tuple[str, str]:
    if len(text) < width + _SLOP:
        return text, ""
    space = max(text.rfind(sign, 0, width) for sign in " \t\n")
    if space <= 0:
        return text, ""
    newline = text.rfind("\n", 0, width)
    at = newline if 0 < newline < space else space
    return text[:at], text[at + 1 :]


def _list(entries: Mapping[str, str]) -> str:
    width = max(11, *(len(name) + 1 for name in entries))
    return "\n".join(f"  {name:<{width}} {summary}" for name, summary in entries.items())
