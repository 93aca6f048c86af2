"""A push in a notebook: how it comes on, cancelled by mouse and keyboard, and its end."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect
from servers import RunningServer, start_server

from dockerlab.engine.embedded import Embedded
from tests import large
from tests.pages import Sheet
from tests.relays import Narrow

MIB = 1024 * 1024
WORDS = {
    "bn": {"cancel": "থামাও", "cancelled": "থামানো হয়েছে", "layers": "২টা লেয়ার", "there": "আগে থেকেই"},
    "en": {"cancel": "Cancel", "cancelled": "Cancelled", "layers": "2 layers", "there": "already"},
}
BIG = (24 * MIB, 24 * MIB)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with start_server(tmp_path_factory.mktemp("transfer") / "registry") as running:
        yield running


@pytest.fixture
def words(sheet: Sheet) -> dict[str, str]:
    return WORDS[sheet.path[:2]]


def add(sheet: Sheet, name: str, *sizes: int) -> str:
    return large.add(Embedded(sheet.course.home).images, name, *sizes)


def tags(server: RunningServer, repository: str) -> list[str]:
    answer = httpx.get(f"{server.url}/v2/{repository}/tags/list")
    return list(answer.json().get("tags") or ()) if answer.status_code == 200 else []


def uploads(folder: Path) -> list[Path]:
    return list(folder.rglob("_uploads/*"))


def begun(place: Locator) -> None:
    """Bytes are on their way."""
    expect(place.locator("progress").first).to_be_visible()
    place.page.wait_for_function(
        "[...document.querySelectorAll('progress')].some(one => one.value)"
    )


def ended(sheet: Sheet, name: str) -> dict[str, object]:
    """What another cell sees of it."""
    return dict(
        eval(sheet.text(f"print({{'state': {name}.state, 'digest': {name}.progress.digest}})"))
    )


def test_push_cancel_and_push_again(
    sheet: Sheet, server: RunningServer, words: dict[str, str]
) -> None:
    lang = sheet.path[:2]
    with Narrow(server.port, pause=0.05) as narrow:
        name = f"localhost:{narrow.port}/big-{lang}:v1"
        digest = add(sheet, name, *BIG)
        for way in ("mouse", "keyboard"):
            place = sheet.run(f'pushed = lab.push("{name}")\npushed', wait=False)
            begun(place)
            expect(place.locator(".dockerlab-stream")).to_have_count(1)
            if way == "mouse":
                sheet.photograph(f"transfer-middle-{lang}", place)
                place.get_by_role("button", name=words["cancel"]).click()
            else:
                sheet.page.keyboard.press("Escape")
                place.get_by_role("button", name=words["cancel"]).focus()
                sheet.page.keyboard.press("Enter")
            expect(place.get_by_role("status")).to_contain_text(words["cancelled"])
            expect(place.get_by_role("button")).to_have_count(0)
            assert ended(sheet, "pushed") == {"state": "cancelled", "digest": ""}
            assert tags(server, f"big-{lang}") == []
            sheet.photograph(f"transfer-cancelled-{lang}", place)
        narrow.open.set()
        place = sheet.run(f'pushed = lab.push("{name}")\npushed')
        expect(place.get_by_role("status")).to_contain_text(words["layers"])
        assert ended(sheet, "pushed") == {"state": "done", "digest": digest}
    assert tags(server, f"big-{lang}") == ["v1"]
    manifest = httpx.get(f"{server.url}/v2/big-{lang}/manifests/v1")
    assert manifest.headers["Docker-Content-Digest"] == digest
    sheet.photograph(f"transfer-end-{lang}", place)
