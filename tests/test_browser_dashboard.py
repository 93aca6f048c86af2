"""The dashboard in JupyterLab, by mouse and by keyboard alone; seen from outside the kernel."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.pages import Sheet

NOTHING = re.compile(r"docker run")


def outside(sheet: Sheet, line: str) -> str:
    """What another process sees of the same lab."""
    return sheet.course.command("docker", *line.split())


def status(sheet: Sheet) -> str:
    return outside(sheet, "ps -a --format {{.Names}}={{.State}}").strip()


@pytest.fixture(scope="module")
def place(sheet: Sheet) -> Locator:
    """The dashboard, and a registry that runs."""
    sheet.run('lab.begin("05-tag-push-pull")')
    shown = sheet.run("lab").locator(".dockerlab")
    expect(shown.get_by_text(NOTHING)).to_be_visible()
    outside(sheet, "run -d -p 0:5000 --name registry registry:2")
    return shown


def test_it_notices_what_others_do(sheet: Sheet, place: Locator) -> None:
    expect(place.locator('button[value="registry"]')).to_have_count(1, timeout=10_000)
    expect(place.get_by_text("my-image")).to_be_visible()
    count = {"bn": "০টা রিপোজিটরি", "en": "0 repositories"}[sheet.path[:2]]
    expect(place.get_by_text(count)).to_be_visible(timeout=10_000)
    sheet.photograph(f"dashboard-{sheet.path[:2]}", place)


def test_a_mouse_stops_and_starts(sheet: Sheet, place: Locator) -> None:
    place.locator('button[data-do="stop"]').click()
    expect(place.locator('button[data-do="start"]')).to_be_visible(timeout=15_000)
    assert status(sheet) == "registry=exited"
    expect(place.get_by_text("docker stop registry")).to_be_visible()
    place.locator('button[data-do="start"]').click()
    expect(place.locator('button[data-do="stop"]')).to_be_visible(timeout=15_000)
    assert status(sheet) == "registry=running"


def test_a_keyboard_stops_and_removes(sheet: Sheet, place: Locator) -> None:
    place.locator('button[data-do="stop"]').focus()
    sheet.page.keyboard.press("Enter")
    remove = place.locator('button[data-do="remove"]')
    expect(remove).to_be_visible(timeout=15_000)
    place.locator('button[data-do="start"]').focus()
    sheet.page.keyboard.press("Tab")
    sheet.page.keyboard.press("Enter")
    expect(place.get_by_role("alert")).to_be_visible()
    expect(place.get_by_role("alert").locator("[data-focus]")).to_be_focused()
    assert status(sheet) == "registry=exited"
    sheet.page.keyboard.press("Tab")
    sheet.page.keyboard.press("Space")
    expect(remove).to_have_count(0, timeout=15_000)
    assert status(sheet) == ""


def test_the_language_changes_for_all_cells(sheet: Sheet, place: Locator) -> None:
    first = sheet.path[:2]
    other = {"bn": "en", "en": "bn"}[first]
    names = {"bn": "বাংলা", "en": "English"}
    place.locator(f'button[value="{other}"]').click()
    expect(place.locator(f'button[value="{other}"][aria-pressed="true"]')).to_be_visible()
    assert sheet.text("%lang").strip() == names[other]
    place.locator(f'button[value="{other}"]').focus()
    sheet.page.keyboard.press("Tab" if first == "en" else "Shift+Tab")
    sheet.page.keyboard.press("Enter")
    expect(place.locator(f'button[value="{first}"][aria-pressed="true"]')).to_be_visible()
    assert sheet.text("%lang").strip() == names[first]


def test_a_reset_asks_and_by_keyboard_alone_empties_the_lab(sheet: Sheet, place: Locator) -> None:
    place.locator('button[data-do="reset"]').click()
    expect(place.get_by_role("alert")).to_contain_text("my-image")
    place.locator('[role="alert"] button[data-do="leave"]').click()
    expect(place.get_by_role("alert")).to_have_count(0)
    assert "my-image" in outside(sheet, "image ls")
    place.locator('button[data-do="reset"]').focus()
    sheet.page.keyboard.press("Enter")
    expect(place.get_by_role("alert")).to_contain_text("my-image")
    sheet.tab_to('[role="alert"] button[data-do="sure"]')
    sheet.page.keyboard.press("Enter")
    empty = {"bn": "তোমার ল্যাব আবার খালি", "en": "Your lab is empty again."}[sheet.path[:2]]
    expect(place.get_by_text(empty)).to_be_visible(timeout=15_000)
    assert "my-image" not in outside(sheet, "image ls")
