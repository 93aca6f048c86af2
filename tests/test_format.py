"""Sizes, ages and tables as docker shows them."""

import io
import json
from datetime import datetime, timedelta, timezone

import pytest

from dockerlab.engine.commands import format as shown
from dockerlab.errors import EngineError

HEADERS = {"ID": "CONTAINER ID", "Names": "NAMES", "Label": "LABEL"}
ROWS = [{"ID": "abc", "Names": "registry"}, {"ID": "de", "Names": "<b>"}]
COLUMNS = r"{{.ID}}\t{{.Names}}"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (13256, "13.3kB"),
        (1_984_000, "1.98MB"),
        (26_820_000, "26.8MB"),
        (5_000_000_000, "5GB"),
        (10**19, "1e+04PB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert shown.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (1.4, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (125, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86400, "13 days"),
        (14 * 86400, "2 weeks"),
        (59 * 86400, "8 weeks"),
        (60 * 86400, "2 months"),
        (729 * 86400, "24 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert shown.duration(seconds) == text


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-23T10:20:02.969512585Z",
        "2026-11-23T10:20:02Z",
        "2026-11-23T10:20:02.5Z",
        "2026-11-23T16:20:02.123+06:00",
        "2026-11-23T04:20:02-06:00",
    ],
)
def test_times(moment: str) -> None:
    found = shown.parse_time(moment)
    assert found.replace(microsecond=0) == datetime(2026, 11, 23, 10, 20, 2, tzinfo=timezone.utc)
    assert shown.ago(moment, found + timedelta(minutes=3)) == "3 minutes ago"
    assert shown.ago(datetime.now(timezone.utc)) == "Less than a second ago"


def test_tables() -> None:
    rows = [("some words here", "x", ""), ("", "", "y")]
    assert shown.table(("A", "LONGER TITLE", "B"), rows) == (
        "A                 LONGER TITLE   B\n"
        "some words here   x              \n"
        "                                 y\n"
    )


def test_json_as_go_writes_it() -> None:
    assert shown.go_json({"b": "<ক>", "a": [1, None]}) == '{"b":"<ক>","a":[1,null]}'
    assert shown.go_json("<&>", html=True) == '"\\u003c\\u0026\\u003e"'
    assert shown.go_json({"a": 1}, indent=4) == '{\n    "a": 1\n}'


def show(template: str) -> str:
    out = io.StringIO()
    shown.show(out, ROWS, HEADERS, COLUMNS, template, "*formatter.ContainerContext")
    return out.getvalue()


def test_show() -> None:
    table = "CONTAINER ID   NAMES\nabc            registry\nde             <b>\n"
    assert show("") == show("table") == table
    assert show(r"table {{.Names}}\t{{.ID}}") == (
        "NAMES      CONTAINER ID\nregistry   abc\n<b>        de\n"
    )
    assert show("table {{json .Names}}") == 'NAMES\n"registry"\n"<b>"\n'
    assert show("{{.ID}}:{{upper .Names}}") == "abc:REGISTRY\nde:<B>\n"
    lines = show("json").splitlines()
    assert lines[1] == '{"ID":"de","Names":"\\u003cb\\u003e"}'
    assert [json.loads(line) for line in lines] == ROWS
    assert show("{{json .}}") == show("json")


def test_show_a_method() -> None:
    out = io.StringIO()
    rows = [{"Names": "one", "Label": {"team": "a"}.get}]
    shown.show(out, rows, HEADERS, "", r'table {{.Names}}\t{{.Label "team"}}')
    assert out.getvalue() == "NAMES     team\none       a\n"


def test_show_nothing() -> None:
    out = io.StringIO()
    shown.show(out, [], HEADERS, COLUMNS)
    assert out.getvalue() == "CONTAINER ID   NAMES\n"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.ID", "failed to parse template: template: :1: unclosed action"),
        ("table {{foo .ID}}", 'failed to parse template: template: :1: function "foo" not defined'),
        (
            "{{.Foo}}",
            'failed to execute template: template: :1:2: executing "" at <.Foo>: '
            "can't evaluate field Foo in type *formatter.ContainerContext",
        ),
    ],
)
def test_mistakes_in_a_template(template: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        show(template)
    assert str(caught.value) == message
