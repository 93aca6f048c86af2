"""Quiz, check and map of the course, used by mouse and by keyboard in both languages."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.pages import DO, Sheet

WORDS = {
    "bn": {"check": "উত্তর মেলাও", "retry": "আবার চেষ্টা", "score": "৩টার মধ্যে {}টা ঠিক"},
    "en": {"check": "Check my answer", "retry": "Try again", "score": "{} of 3 right"},
}
IN_FRONT = "path => jupyterapp.shell.currentWidget?.context?.path === path"
DIGITS = {"bn": "০১২৩", "en": "0123"}
RIGHT = {
    "tagged": ["names"],
    "there-and-back": ["tag", "push", "remove", "pull"],
    "exists": ["kept", "one"],
}


def lang(sheet: Sheet) -> str:
    return sheet.path.partition("/")[0]


def kept(sheet: Sheet) -> dict[str, Any]:
    """The learner's progress, as it is on the disk."""
    path = sheet.course.home / "progress.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def fresh(sheet: Sheet) -> None:
    (sheet.course.home / "progress.json").unlink(missing_ok=True)


def score(sheet: Sheet, place: Locator, count: int) -> None:
    said = WORDS[lang(sheet)]["score"].format(DIGITS[lang(sheet)][count])
    expect(place.locator("[data-key=score]")).to_have_text(said)


def form(place: Locator, question: str) -> Locator:
    return place.locator(f"form[data-key={question}]")


def order(place: Locator) -> list[str]:
    items = form(place, "there-and-back").locator("li")
    return [str(item.get_attribute("data-key")) for item in items.all()]


def test_a_quiz_by_mouse(sheet: Sheet) -> None:
    fresh(sheet)
    place = sheet.run('lab.quiz("05-tag-push-pull")')
    words = WORDS[lang(sheet)]
    score(sheet, place, 0)
    first = form(place, "tagged")
    verdict = first.locator("[data-key=verdict]")
    first.get_by_role("button", name=words["check"]).click()
    expect(verdict).to_contain_text("✘ ")
    assert "quizzes" not in kept(sheet)

    first.locator("input[value=copies]").check()
    expect(verdict).to_have_text("")
    first.get_by_role("button", name=words["check"]).click()
    expect(first.locator("li[data-key=copies]")).to_contain_text("IMAGE ID")
    expect(first.locator("li strong")).to_have_count(1)
    assert kept(sheet)["quizzes"]["05-tag-push-pull"]["tagged"]["right"] == ""
    first.get_by_role("button", name=words["retry"]).click()
    expect(first.locator("input:checked")).to_have_count(0)
    first.locator("input[value=names]").check()
    first.get_by_role("button", name=words["check"]).click()
    expect(verdict).to_contain_text("✔ ")
    expect(first.locator("li strong")).to_have_count(3)
    score(sheet, place, 1)

    several = form(place, "exists")
    for value in ("kept", "failed", "one"):
        several.locator(f"input[value={value}]").check()
    several.get_by_role("button", name=words["check"]).click()
    expect(several.locator("li strong")).to_have_count(3)
    expect(several.locator("[data-key=verdict]")).to_contain_text("✘ ")
    several.locator("input[value=failed]").uncheck()
    several.get_by_role("button", name=words["check"]).click()
    expect(several.locator("[data-key=verdict]")).to_contain_text("✔ ")
    score(sheet, place, 2)
    assert kept(sheet)["quizzes"]["05-tag-push-pull"]["exists"]["answers"] == ["kept", "one"]
    sheet.photograph(f"quiz-{lang(sheet)}", place)


def test_a_quiz_by_keyboard_and_after_a_restart_it_is_all_there(sheet: Sheet) -> None:
    fresh(sheet)
    place = sheet.run('lab.quiz("05-tag-push-pull")')
    press = sheet.page.keyboard.press
    place.locator(".dockerlab").focus()
    sheet.tab_to("input[name=tagged]")
    press("ArrowDown")
    press("ArrowUp")
    press("ArrowDown")
    expect(place.locator("input[value=names]")).to_be_checked()
    press("Enter")
    score(sheet, place, 1)

    for answer, steps in (("tag", 1), ("push", 2), ("remove", 1)):
        sheet.tab_to(f'button[value="{answer} up"]')
        for _ in range(steps):
            at = order(place).index(answer)
            press("Enter")
            expect(form(place, "there-and-back").locator("li").nth(at - 1)).to_have_attribute(
                "data-key", answer
            )
            expect(place.locator(f'button[value="{answer} up"]')).to_be_focused()
        said = form(place, "there-and-back").locator("[data-key=moved]")
        expect(said).to_contain_text("docker")
        place.locator("[data-key=score]").evaluate("one => one.closest('.dockerlab').focus()")
    assert order(place) == RIGHT["there-and-back"]
    sheet.tab_to("form[data-key=there-and-back] button[type=submit]")
    press("Enter")
    score(sheet, place, 2)

    for value in RIGHT["exists"]:
        sheet.tab_to(f"input[value={value}]")
        press("Space")
        expect(place.locator(f"input[value={value}]")).to_be_checked()
    press("Enter")
    score(sheet, place, 3)
    expect(place.locator("input[value=one]")).to_be_focused()

    sheet.restart()
    sheet.run("%load_ext dockerlab\nfrom dockerlab import lab")
    again = sheet.run('lab.quiz("05-tag-push-pull")')
    score(sheet, again, 3)
    expect(again.locator("input:checked")).to_have_count(3)
    assert order(again) == RIGHT["there-and-back"]
    expect(again.locator("[data-key=verdict]")).to_contain_text(["✔", "✔", "✔"])


def test_down_keeps_the_focus_too_and_ends_cannot_be_passed(sheet: Sheet) -> None:
    fresh(sheet)
    place = sheet.run('lab.quiz("06-another-host")')
    secure = form(place, "secure")
    down = secure.locator('button[value="login down"]')
    down.focus()
    for position in (1, 2, 3):
        sheet.page.keyboard.press("Enter")
        expect(secure.locator("li").nth(position)).to_have_attribute("data-key", "login")
        expect(down).to_be_focused()
    expect(down).to_have_attribute("aria-disabled", "true")
    cells = "jupyterapp.shell.currentWidget.content.model.cells.length"
    before = sheet.page.evaluate(cells)
    for key in ("b", "ArrowUp", "x"):  # which are JupyterLab's shortcuts
        sheet.page.keyboard.press(key)
    expect(down).to_be_focused()
    assert sheet.page.evaluate(cells) == before
    sheet.page.keyboard.press("Enter")
    expect(secure.locator("li").nth(3)).to_have_attribute("data-key", "login")


def test_what_is_right_cannot_be_read_from_the_page_before(sheet: Sheet) -> None:
    fresh(sheet)
    place = sheet.run('lab.quiz("02-image-names")')
    expect(place.locator("form")).to_have_count(3)
    page = place.locator(".dockerlab").inner_html()
    state = sheet.text('print(lab.quiz("02-image-names").live().get_state()["html"])')
    for html in (page, state):
        assert (
            "✔" not in html
            and "✘" not in html
            and "true" not in html.replace('aria-disabled="true"', "")
        )


@pytest.mark.parametrize("keys", [False, True], ids=["mouse", "keyboard"])
def test_a_check_hint_after_hint_until_it_is_green(sheet: Sheet, keys: bool) -> None:
    def push(name: str) -> None:
        button = place.locator(f"button[data-key={name}]")
        expect(button).to_be_visible()
        if keys:
            place.locator(".dockerlab").focus()
            sheet.tab_to(f"button[data-key={name}]")
            sheet.page.keyboard.press("Enter")
        else:
            button.click()

    sheet.run('lab.begin("02-image-names")')
    fresh(sheet)
    place = sheet.run('lab.check("own-registry")')
    status = place.locator("[data-key=status]")
    expect(status).to_contain_text("docker image tag my-image")
    hints = place.locator("ol li")
    push("hint")
    expect(hints).to_have_count(1)
    push("hint")
    expect(hints).to_have_count(2)
    assert ":v1" not in hints.first.inner_text() and ":v1" in hints.last.inner_text()
    if not keys:
        sheet.photograph(f"check-{lang(sheet)}", place)
    push("solve")
    expect(place.locator("pre")).to_have_count(0)
    expect(place.locator("button[data-key=keep]")).to_be_focused()
    push("keep")
    expect(place.locator("button[data-key=keep]")).to_have_count(0)
    push("solve")
    push("reveal")
    command = "%docker image tag my-image localhost:5000/team/my-image:v1"
    expect(place.locator("pre")).to_have_text(command)
    push("copy")
    sheet.page.wait_for_function(
        "async text => await navigator.clipboard.readText() === text", arg=command
    )
    push("again")
    expect(status).to_contain_text("✘")
    sheet.run(command)
    push("again")
    expect(status).to_contain_text("✔")
    expect(place.locator("pre")).to_have_count(0)
    checks = kept(sheet)["checks"]["own-registry"]
    assert checks["passed"] and checks["tries"] == 5


def test_a_hint_that_is_no_longer_needed_is_not_given(sheet: Sheet) -> None:
    sheet.run('lab.begin("02-image-names")')
    place = sheet.run('lab.check("own-registry")')
    sheet.run("%docker image tag my-image localhost:5000/my-image:v1")
    place.locator("button[data-key=hint]").click()
    expect(place.locator("[data-key=status]")).to_contain_text("team/")
    expect(place.locator("ol li")).to_have_count(0)
    sheet.run("%docker image tag my-image localhost:5000/team/my-image:v1")
    place.locator("button[data-key=hint]").click()
    expect(place.locator("[data-key=status]")).to_contain_text("✔")


def test_the_map_follows_and_is_forgotten_only_on_purpose(sheet: Sheet) -> None:
    fresh(sheet)
    place = sheet.run("lab.progress()")
    stations = place.locator("li")
    expect(stations).to_have_count(13)
    expect(place.locator("[aria-current]")).to_have_count(0)
    sheet.run('lab.begin("02-image-names")\nlab.check("full-name", "docker.io/library/x:latest")')
    sheet.run('lab.check("full-name", "docker.io/library/hello-world:latest")')
    here = place.locator("li[data-key='02-image-names']")
    expect(here).to_have_attribute("aria-current", "step")
    expect(here).to_contain_text("1 of 4" if lang(sheet) == "en" else "৪টা চেকের ১টা")
    sheet.photograph(f"progress-{lang(sheet)}", place)

    place.locator("button[data-key=forget]").focus()
    sheet.page.keyboard.press("Enter")
    expect(place.locator("button[data-key=keep]")).to_be_focused()
    sheet.page.keyboard.press("Enter")
    expect(place.locator("button[data-key=forget]")).to_be_focused()
    assert kept(sheet)["last"] == "02-image-names"
    place.locator("button[data-key=forget]").click()
    place.locator("button[data-key=really]").click()
    expect(place.locator("[aria-current]")).to_have_count(0)
    assert kept(sheet) == {"version": 1}


def test_the_map_leads_to_a_lesson_and_loads_nothing_anew(sheet: Sheet) -> None:
    sheet.run('lab.begin("05-tag-push-pull")')
    place = sheet.run("lab.progress()")
    sheet.page.evaluate("globalThis.same = true")
    link = place.get_by_role("link").first
    lesson = f"{lang(sheet)}/05-tag-push-pull.ipynb"
    link.click()
    sheet.page.wait_for_function(IN_FRONT, arg=lesson)
    sheet.page.evaluate(DO, ["docmanager:open", {"path": sheet.path}])
    sheet.page.wait_for_function(IN_FRONT, arg=sheet.path)
    place.locator(".dockerlab").focus()
    sheet.page.keyboard.press("Tab")
    expect(link).to_be_focused()
    sheet.page.keyboard.press("Enter")
    sheet.page.wait_for_function(IN_FRONT, arg=lesson)
    assert sheet.page.evaluate("globalThis.same")
