"""What all widgets stand on: HTML from a view, changed in place, and clicks that come back."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.pages import PANEL, Sheet, Studio

VIEW = '''
import time
from jinja2 import Template
from dockerlab.errors import EngineError
from dockerlab.widgets.view import View

PAGE = Template("""
<p role="status">{{ view.count }} {{ view.trouble }}</p>
<button data-do="add" value="2">Add</button>
<button data-do="refuse">Refuse</button>
<label>Text <input data-on-input="type" value="{{ view.text }}"></label>
<form data-do="log_in"><label>User <input name="user"></label>
<label>Secret <input name="secret" type="password"></label><button>Send</button></form>
<p data-whisper="told"></p>
<details data-on-open="look" data-value="a"><summary>More</summary><p>{{ view.seen }}</p></details>
<button data-copy="docker ps" data-copied="Copied">Copy</button>
<ul>{% for item in view.items %}<li data-key="{{ item }}">
<button data-do="remove" value="{{ item }}">{{ item }}</button></li>{% endfor %}</ul>
<button data-do="slow">Slow</button>
{% if view.beats is not none %}<p data-every="beat" data-seconds="0.2">{{ view.beats }}</p>
{% endif %}
""", autoescape=True)

class Test(View):
    count, text, user, seen, beats = 0, "", "", "", None
    def __init__(self): self.items = ["a", "b", "c"]
    def __repr__(self): return "a test"
    def html(self, live=False): return PAGE.render(view=self) if live else "<p>still</p>"
    def on_add(self, value): self.count += int(value)
    def on_refuse(self, value): raise EngineError("no such thing <b>")
    def on_type(self, value): self.text = value.upper()
    def on_log_in(self, value):
        self.user = value["user"]
        self.whisper("told", value["secret"][::-1])
    def on_look(self, value): self.seen = f"seen {value}"
    def on_remove(self, value): self.items.remove(value)
    def on_slow(self, value):
        def work():
            time.sleep(0.3)
            self.count = 100
        self.in_background(work)
    def on_beat(self, value): self.beats += 1

view = Test()
'''


@pytest.fixture
def notebook(studio: Studio) -> Iterator[Sheet]:
    sheet = studio.sheet("en")
    sheet.run(VIEW)
    yield sheet


def test_a_view_answers_to_mouse_and_keyboard_and_keeps_no_secret(notebook: Sheet) -> None:
    place = notebook.run("view")
    place.get_by_role("button", name="Add").click()
    expect(place.get_by_role("status")).to_have_text("2 ")
    place.get_by_role("button", name="Refuse").click()
    expect(place.get_by_role("status")).to_contain_text("no such thing <b>")
    place.get_by_role("button", name="Add").focus()
    notebook.page.keyboard.press("Enter")
    notebook.page.keyboard.press("Space")
    expect(place.get_by_role("status")).to_have_text("6 ")

    place.get_by_label("User").fill("mina")
    place.get_by_label("Secret").fill("terces")
    notebook.page.keyboard.press("Enter")
    expect(place.locator("[data-whisper]")).to_have_text("secret")
    expect(place.get_by_label("Secret")).to_have_value("")
    place.get_by_role("button", name="Add").click()
    expect(place.get_by_role("status")).to_have_text("8 ")
    expect(place.locator("[data-whisper]")).to_have_text("secret")
    state = notebook.text("print(view.live().get_state())")
    assert "mina" not in state and "terces" not in state
    assert "terces" not in notebook.saved()

    place.get_by_text("More").click()
    expect(place.get_by_text("seen a")).to_be_visible()
    place.get_by_role("button", name="Copy").click()
    expect(place.get_by_role("button", name="Copied")).to_be_visible()
    assert notebook.page.evaluate("navigator.clipboard.readText()") == "docker ps"
    place.get_by_role("button", name="Slow").click()
    expect(place.get_by_role("status")).to_have_text("100 ")


def test_two_places_show_one_view_and_nobody_loses_the_focus(notebook: Sheet) -> None:
    first, second = notebook.run("view"), notebook.run("view")
    first.get_by_label("Text").press_sequentially("abc", delay=1)
    expect(second.get_by_label("Text")).to_have_value("ABC")
    expect(first.get_by_label("Text")).to_have_value("abc")
    expect(first.get_by_label("Text")).to_be_focused()
    first.get_by_role("button", name="b").focus()
    first.get_by_role("button", name="a", exact=True).evaluate("one => one.click()")
    expect(second.get_by_role("button", name="a", exact=True)).to_have_count(0)
    expect(first.get_by_role("button", name="b")).to_be_focused()
    notebook.page.keyboard.press("Enter")
    expect(first.get_by_role("button", name="b")).to_have_count(0)
    assert notebook.page.evaluate("document.activeElement.classList.contains('dockerlab')")


def test_it_asks_again_only_while_it_can_be_seen(notebook: Sheet) -> None:
    place = notebook.run("view.beats = 0\nview")
    notebook.page.wait_for_function(
        "Number(document.querySelector('[data-every]')?.textContent) > 2"
    )
    place.locator(".dockerlab").evaluate("one => one.style.display = 'none'")
    before = place.locator("[data-every]").text_content()
    notebook.page.wait_for_timeout(1000)
    after = place.locator("[data-every]").text_content()
    assert int(after or 0) <= int(before or 0) + 1


def test_a_running_cell_does_not_make_it_deaf(notebook: Sheet) -> None:
    place = notebook.run("view")
    notebook.run("while view.count < 4: time.sleep(0.05)\nprint('done')", wait=False)
    place.get_by_role("button", name="Add").click()
    expect(place.get_by_role("status")).to_have_text("2 ")
    place.get_by_role("button", name="Add").click()
    expect(notebook.page.get_by_text("done", exact=True)).to_be_visible()


def test_after_a_restart_of_the_kernel_it_says_what_to_do(notebook: Sheet) -> None:
    place = notebook.run("view")
    notebook.restart()
    place.get_by_role("button", name="Add").click()
    expect(place.get_by_role("alert")).to_contain_text("run this cell again")
    assert "still" in notebook.saved()


def test_a_saved_notebook_shows_it_again_without_its_kernel(notebook: Sheet) -> None:
    place = notebook.run("view")
    place.get_by_role("button", name="Add").click()
    expect(place.get_by_role("status")).to_have_text("2 ")
    saved = json.loads(notebook.saved())
    assert saved["metadata"]["widgets"]
    notebook.reopen()
    place = notebook.page.locator(f"{PANEL} .dockerlab")
    expect(place.get_by_role("status")).to_have_text("2 ")
    place.get_by_role("button", name="Add").click()
    expect(notebook.page.get_by_role("alert")).to_contain_text("run this cell again")
