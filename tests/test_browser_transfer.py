"""A push in a notebook: how it comes on, cancelled by mouse, keyboard and ■, and its end."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, expect
from servers import RunningServer, start_server

from dockerlab.engine.embedded import Embedded
from tests import large
from tests.following import MIB, tags
from tests.pages import DO, Sheet
from tests.relays import Narrow

WORDS = {
    "bn": {"cancel": "থামাও", "cancelled": "থামানো হয়েছে", "layers": "২টা লেয়ার", "all": "২০০টা লেয়ার"},
    "en": {"cancel": "Cancel", "cancelled": "Cancelled", "layers": "2 layers", "all": "200 layers"},
}
MOVES = "[...document.querySelectorAll('progress')].some(one => one.value > 0)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with start_server(tmp_path_factory.mktemp("transfer") / "registry") as running:
        yield running


@pytest.fixture
def words(sheet: Sheet) -> dict[str, str]:
    return WORDS[sheet.path[:2]]


def add(sheet: Sheet, name: str, *sizes: int) -> str:
    return large.add(Embedded(sheet.course.home).images, name, *sizes)


def is_result(place: Locator) -> None:
    """What the cell showed while it ran is gone, and its result is there."""
    expect(place.locator(".jp-OutputArea-executeResult [role='group']")).to_have_count(1)
    expect(place.locator("[role='group']")).to_have_count(1)


def cancel(sheet: Sheet, place: Locator, way: str, name: str) -> None:
    """Touch what ends it while its cell runs."""
    button = place.get_by_role("button", name=name)
    if way == "mouse":
        button.click()
    elif way == "keyboard":
        sheet.page.keyboard.press("Escape")
        sheet.page.locator("body").focus()
        button.focus()
        sheet.page.keyboard.press("Enter")
    else:
        sheet.page.evaluate(DO, ["notebook:interrupt-kernel", {}])


def test_push_cancel_and_push_again(
    sheet: Sheet, server: RunningServer, words: dict[str, str]
) -> None:
    lang = sheet.path[:2]
    with Narrow(server.port, pause=0.05) as narrow:
        name = f"localhost:{narrow.port}/big-{lang}:v1"
        digest = add(sheet, name, 24 * MIB, 24 * MIB)
        for way in ("mouse", "keyboard", "stop"):
            place = sheet.run(f'pushed = lab.push("{name}")\npushed', wait=False)
            expect(place.get_by_role("progressbar").first).to_be_visible()
            sheet.page.wait_for_function(MOVES)
            expect(place.locator(".dockerlab-stream")).to_have_count(1)
            if way == "mouse":
                sheet.photograph(f"transfer-middle-{lang}", place)
            cancel(sheet, place, way, words["cancel"])
            expect(place.get_by_role("status")).to_contain_text(words["cancelled"])
            expect(place.get_by_role("button")).to_have_count(0)
            is_result(place)
            expect(place.locator(".dockerlab-stream")).to_have_count(0)
            expect(place.locator("[data-mime-type$='stderr']")).to_have_count(0)
            assert sheet.text("print(pushed.state)").strip() == "cancelled"
            assert tags(server, f"big-{lang}") == []
        narrow.open.set()
        place = sheet.run(f'pushed = lab.push("{name}")\npushed')
        expect(place.get_by_role("status")).to_contain_text(words["layers"])
        is_result(place)
        expect(place.get_by_text(digest, exact=True)).to_be_visible()
    assert tags(server, f"big-{lang}") == ["v1"]
    manifest = httpx.get(f"{server.url}/v2/big-{lang}/manifests/v1")
    assert manifest.headers["Docker-Content-Digest"] == digest
    place.locator("summary").click()
    expect(place.get_by_text("The push refers to repository")).to_be_visible()
    sheet.photograph(f"transfer-end-{lang}", place)


def test_two_hundred_layers_scroll_below_their_sum(
    sheet: Sheet, server: RunningServer, words: dict[str, str]
) -> None:
    name = f"localhost:{server.port}/many-{sheet.path[:2]}:v1"
    add(sheet, name, *[300] * 200)
    place = sheet.run(f'lab.push("{name}")')
    expect(place.get_by_role("status")).to_contain_text(words["all"])
    expect(place.get_by_role("progressbar")).to_have_count(200)
    is_result(place)
    box = place.get_by_role("region").first
    assert box.evaluate("one => one.scrollHeight > 2 * one.clientHeight")
    box.focus()
    sheet.page.keyboard.press("End")
    expect(place.get_by_role("progressbar").last).to_be_in_viewport()
    expect(place.get_by_role("status")).to_be_in_viewport()
    sheet.page.evaluate("document.activeElement.blur()")
    gone = f'gone = lab.engine.remove_image("{name}", force=True)'
    place = sheet.run(f'{gone}\nlab.pull("{name}")')
    expect(place.get_by_role("status")).to_contain_text(words["all"])
    is_result(place)
    assert len(Embedded(sheet.course.home).images.find(name).layers) == 200


def test_what_failed_is_explained_and_the_next_cell_runs(sheet: Sheet) -> None:
    lang = sheet.path[:2]
    add(sheet, "localhost:1/down:v1", 500)
    place = sheet.run('lab.push("localhost:1/down:v1")')
    expect(place.get_by_role("alert")).to_contain_text("connection refused")
    expect(place.get_by_role("alert")).to_contain_text(re.compile("docker ps"))
    is_result(place)
    assert sheet.text("print(6 * 7)").strip() == "42"
    if lang == "bn":
        sheet.photograph("transfer-failed", place)
    assert "connection refused" in sheet.saved()
