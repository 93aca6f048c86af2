"""How docker shows things: tables, sizes, ages, and what `--format` asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TextIO

from dockerlab.errors import EngineError

Row = Mapping[str, Any]
_GAP, _NARROWEST = 3, 10


class Fields(dict[str, Any]):
    """One line of a list, field by field; Go's `json` escapes HTML in it, and only there."""


class Title(str):
    """The title of a column, which `json` leaves alone."""


def size(count: float, digits: int = 3) -> str:
    """A number of bytes as docker shows it: `13.3kB`."""
    units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        units.pop(0)
    return f"{count:.{digits}g}{units[0]}"


def duration(seconds: float) -> str:
    """A length of time as docker shows it: `About a minute`."""
    whole, hours = int(seconds), int(seconds / 3600 + 0.5)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 3600:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for limit, length, unit in ((24 * 14, 24, "days"), (24 * 60, 24 * 7, "weeks")):
        if hours < limit:
            return f"{hours // length} {unit}"
    return f"{hours // 24 // 30} months" if hours < 24 * 730 else f"{hours // 24 // 365} years"


def ago(moment: str | datetime, now: datetime | None = None) -> str:
    """How long ago `moment` (RFC 3339 or a datetime) was: `2 hours ago`."""
    then = parse_time(moment) if isinstance(moment, str) else moment
    now = now or datetime.now(timezone.utc)
    return duration((now - then).total_seconds()) + " ago"


def parse_time(moment: str) -> datetime:
    """An RFC 3339 time, as image configs and containers have it; nanoseconds are cut."""
    head, point, tail = moment.partition(".")
    if point:
        fraction = tail.rstrip("Z").partition("+")[0].partition("-")[0]
        head, rest = f"{head}.{fraction[:6]:0<6}", tail[len(fraction) :]
        moment = head + rest
    return datetime.fromisoformat(moment.replace("Z", "+00:00"))


def align(lines: Sequence[str]) -> str:
    """Lines with tabs as columns, each at least ten wide and three apart."""
    cells = [line.split("\t") for line in lines]
    widths: dict[int, int] = {}
    for row in cells:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, _NARROWEST), len(cell) + _GAP)
    return "".join(
        "".join(f"{cell:<{widths[column]}}" for column, cell in enumerate(row[:-1]))
        + row[-1]
        + "\n"
        for row in cells
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as docker prints it, with its header line."""
    return align(["\t".join(row) for row in (headers, *rows)])


def go_json(data: Any, *, html: bool = False, indent: int | None = None) -> str:
    """JSON as Go writes it; `html` escapes <, > and & as its default encoder does."""
    separators = (",", ": ") if indent else (",", ":")
    encoded = json.dumps(data, ensure_ascii=False, separators=separators, indent=indent)
    if html:
        for character in "<>&":
            encoded = encoded.replace(character, f"\\u{ord(character):04x}")
    return encoded


def show(
    out: TextIO,
    rows: Sequence[Row],
    headers: Mapping[str, str],
    default: str,
    template: str = "",
    type_name: str = "",
) -> None:
    r"""Write `rows` (field -> value) as docker's list commands do.

    `headers` gives the fields' column titles. `template` is what `--format` asks for: "" or
    "table" (the columns of `default`, such as r"{{.ID}}\t{{.Names}}"), "table TEMPLATE", "json",
    or a template for each row. `type_name` is Go's name of a row, for errors:
    "*formatter.ContainerContext". A value may be a function: a method such as `.Label "x"`.
    """
    from dockerlab.engine.commands import template as templates

    if template == "json":
        template = "{{json .}}"
    if template in ("", "table"):
        template = "table " + default
    wanted, body = template.startswith("table"), template.removeprefix("table").strip()
    try:
        parsed = templates.Template(body.replace("\\t", "\t").replace("\\n", "\n"))
    except templates.ParseError as error:
        raise EngineError(f"failed to parse template: {error}") from None
    try:
        lines = [parsed.render(Fields(row), type_name) for row in rows]
        if not wanted:
            out.write("".join(line + "\n" for line in lines))
            return
        title = parsed.render(_titles(headers, (rows or [headers])[0]))
    except templates.ExecuteError as error:
        raise EngineError(f"failed to execute template: {error}") from None
    out.write(align([title, *lines]))


def _titles(headers: Mapping[str, str], row: Row) -> Fields:
    """The title of each field; of a method such as `.Label "x"`, what it is asked for."""
    return Fields(
        {
            field: Title if callable(value) else Title(headers.get(field, ""))
            for field, value in row.items()
        }
    )
