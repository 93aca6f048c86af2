"""What a class shows, in Chromium: the live page of a full room, the learners' page, the slips."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dockerlab import i18n
from dockerlab.classroom import reports, slips
from dockerlab.classroom.room import Login
from dockerlab.engine.credentials import Login as Known
from dockerlab.engine.embedded import Embedded
from dockerlab.image.reference import Reference
from tests.classrooms import Class, open_class
from tests.pages import TOO_WIDE

HOSTILE = '<img src=x onerror="document.title=1">'
NAMES = ["রাহিমা খাতুন", "Karim", HOSTILE, *(f"Learner {letter}" for letter in "ABCDEFG")]
PROJECTOR = {"width": 1024, "height": 768}
SEEN = """() => [...document.querySelectorAll('#rows > li')].filter(one => {
  const box = one.getBoundingClientRect();
  return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
}).length"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """A class of forty: four have a password, two have pushed."""
    home = tmp_path_factory.mktemp("instructor")
    with open_class(home, "ডকার, ঢাকা", *NAMES[:3]) as one:
        rest = {f"learner-{n}": f"Learner with number {n}" for n in range(1000, 1037)}
        one.room.learners.update(rest)
        one.room.save()
        yield one


@pytest.fixture(scope="module")
def browser(need: Callable[[str], str]) -> Iterator[Browser]:
    unboxed = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=need("chromium"), args=unboxed)
        yield one
        one.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on a projector, where nothing may go wrong in a script."""
    context = browser.new_context(viewport=PROJECTOR, ignore_https_errors=True)
    one = context.new_page()
    wrong: list[object] = []
    one.on("pageerror", lambda error: wrong.append(error))
    yield one
    context.close()
    assert wrong == []


def report(room: Class, login: str, lesson: str, **tries: int) -> None:
    """A learner shares that she has tried checks so often; 0 is passed."""
    checks = {
        name.replace("_", "-"): {"tries": number or 1, "passed": not number}
        for name, number in tries.items()
    }
    content = json.dumps({"lesson": lesson, "checks": checks}).encode()
    reports.take(room.room, login, content)


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert found == [], json.dumps(found, indent=1)[:4000]


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("DOCKERLAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"class-{name}.png")


def push(room: Class, login: str, folder: Path) -> None:
    """She pushes my-image."""
    engine = Embedded(folder)
    engine.images.add_sample("my-image", "my-image")
    engine.credentials.store(room.address, Known(login, room.passwords[login]))
    name = Reference.parse(f"{room.address}/{login}/my-image:1.0")
    engine.images.tag("my-image", name)
    engine.push(name, lambda _line: None)


def test_forty_learners_on_one_projector(room: Class, page: Page, tmp_path: Path) -> None:
    first, karim = list(room.passwords)[:2]
    push(room, karim, tmp_path)
    report(room, "learner-1007", "02-image-names", full_name=0)
    page.goto(f"{room.page}/?lang=en")
    rows = page.locator("#rows > li")
    expect(rows).to_have_count(40)
    assert page.evaluate(SEEN) == 40
    assert page.evaluate("document.documentElement.scrollHeight") == PROJECTOR["height"]
    expect(rows.filter(has_text="Karim")).to_contain_text("1 image")
    expect(rows.filter(has_text="Learner with number 1007")).to_contain_text("2 · Image names")
    expect(rows.filter(has_text="রাহিমা")).to_contain_text("Does not share")
    expect(rows.filter(has_text="onerror")).to_have_count(1)

    page.evaluate("window.same = 1")  # no page but this one has it
    page.locator("summary").filter(has_text="Karim").focus()
    page.keyboard.press("Enter")
    more = page.locator("details[open] .more")
    expect(more).to_contain_text("my-image:1.0")
    expect(more).to_contain_text("of 2 GB")
    report(room, first, "05-tag-push-pull", same_image=7, push=4)
    report(room, "learner-1030", "05-tag-push-pull", push=3)
    expect(page.locator("#sum")).to_contain_text("2 are stuck")
    expect(rows.first).to_contain_text("রাহিমা")
    expect(rows.first).to_contain_text("push · 4 tries")
    expect(rows.nth(1)).to_contain_text("1030")
    expect(more).to_contain_text("my-image:1.0")
    assert page.evaluate("[window.same, document.activeElement.innerText.includes('Karim')]") == [
        1,
        True,
    ]
    page.keyboard.press("Escape")
    expect(more).to_have_count(0)

    page.keyboard.press("n")
    assert not re.search("Karim|রাহিমা|number|onerror", page.inner_text("body"))
    expect(rows.first).to_contain_text("Learner 1")
    page.reload()
    assert not re.search("Karim|রাহিমা|number|onerror", page.inner_text("body"))
    page.keyboard.press("n")
    report(room, first, "05-tag-push-pull", same_image=0, push=0)
    expect(rows.first).to_contain_text("1030")


def test_it_waits_for_a_machine_that_was_asleep(room: Class, page: Page) -> None:
    report(room, "learner-1030", "05-tag-push-pull", push=3)
    page.goto(f"{room.page}/?lang=en")
    lost = page.locator("#lost")
    room.sleep()
    expect(lost).to_have_text("Not connected; trying again …", timeout=15_000)
    expect(page.locator("#rows > li")).to_have_count(40)
    room.wake()
    report(room, "learner-1030", "05-tag-push-pull", push=5)
    expect(page.locator("#rows")).to_contain_text("5 tries", timeout=15_000)
    expect(lost).to_be_empty()


@pytest.mark.parametrize("lang", ["bn", "en"])
def test_everybody_can_read_it(room: Class, page: Page, lang: str) -> None:
    report(room, "learner-1011", "05-tag-push-pull", push=3, same_image=2)
    for where, name in ((room.page, "live"), (f"https://{room.address}", "learners")):
        page.goto(f"{where}/?lang={lang}&login={next(iter(room.passwords))}")
        if name == "live":
            page.locator("summary").first.click()
        page.emulate_media(color_scheme="dark" if lang == "bn" else "light")
        accessible(page)
        keep(page, f"{name}-{lang}")
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.locator("body").evaluate(TOO_WIDE) == []
        keep(page, f"{name}-{lang}-320")
        page.set_viewport_size(PROJECTOR)
    expect(page.locator("html")).to_have_attribute("lang", lang)
    line = page.locator("code", has_text="dockerlab join")
    expect(line).to_contain_text(f"@{room.address}/{room.room.seal}")
    page.context.request.get(f"https://{room.address}/ca.crt")


def test_only_this_machine_sees_how_the_class_stands(room: Class, page: Page) -> None:
    name = {"Host": "evil.example:5480"}
    assert page.request.get(f"{room.page}/now", headers=name).status == 421
    for path in ("/now", "/live.js"):
        assert page.request.get(f"https://{room.address}{path}").status == 404
    answer = page.request.get(f"{room.page}/", headers={"Accept-Language": "bn-BD,en;q=0.5"})
    assert (
        'lang="bn"' in answer.text()
        and "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    )


def test_slips_on_paper(room: Class, page: Page, tmp_path: Path) -> None:
    some = [*room.room.learners.items()][:11]
    made = [Login(login, name, "abcd-efgh-jkmn") for login, name in some]
    i18n.choose("bn")
    path = slips.write(room.room, made, "192.168.100.200:5443", tmp_path / "slips.html")
    page.goto(path.as_uri())
    accessible(page)
    expect(page.locator("article")).to_have_count(11)
    first = page.locator("article").first
    for text in ("রাহিমা খাতুন", "পাসওয়ার্ড · Password", "abcd-efgh-jkmn", room.room.seal):
        expect(first).to_contain_text(text)
    login = next(iter(room.room.learners))
    where = f"https://192.168.100.200:5443/?login={login}"
    expect(first.get_by_role("img", name=where, exact=True)).to_be_visible()
    keep(page, "slips")
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 3
