"""The pictures are what their templates make, and each lesson shows them with their alt text."""

import base64
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest

from dockerlab import i18n, lab
from dockerlab.image import digest, sample
from dockerlab.image.layout import Layout
from dockerlab.widgets import picture
from tests.pages import Studio

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import pictures  # noqa: E402

IMAGE = re.compile(r"!\[([^\]]*)\]\(\.\./pictures/([\w-]+)\.(\w+)\.svg\)")
BANGLA = re.compile("[\u0980-\u09ff]")
CALM = "@media (prefers-reduced-motion: no-preference)"
NAMES = sorted(picture.words())
# What sticks out of its picture, and what stands on another text; both in units of the SVG.
MISPLACED = """svg => {
  const whole = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBBox()]);
  const outside = texts.filter(([, box]) => box.x < 10 || box.y < 6 ||
    box.x + box.width > whole.width - 10 || box.y + box.height > whole.height - 6);
  const crossed = texts.filter(([, one], index) => texts.slice(index + 1).some(([, two]) =>
    one.x < two.x + two.width && two.x < one.x + one.width &&
    one.y + 4 < two.y + two.height && two.y + 4 < one.y + one.height));
  const split = texts.filter(([, box]) => [...svg.querySelectorAll('rect')].some(rect => {
    const edges = rect.getBBox();
    const within = box.y > edges.y && box.y + box.height < edges.y + edges.height;
    return within && [edges.x, edges.x + edges.width]
      .some(edge => box.x < edge && edge < box.x + box.width);
  }));
  return [...outside, ...crossed, ...split].map(([text]) => text);
}"""


def shown() -> list[tuple[str, str, str, str]]:
    """Folder language, alt text, name and picture language of each picture in the lessons."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("??/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                found += [(path.parent.name, *match) for match in IMAGE.findall(cell.source)]
    return found


def luminance(colour: str) -> float:
    """WCAG 2.2 § relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 § contrast ratio."""
    bright, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def palette(css: str) -> dict[str, dict[str, str]]:
    """Selector -> property -> colour."""
    rules = re.findall(r"([.\w]+) \{([^{}]*)\}", css)
    return {name: dict(re.findall(r"(fill|stroke): (#\w{6})", body)) for name, body in rules}


def test_files_are_up_to_date() -> None:
    assert pictures.stale() == []


def test_every_picture_is_well_formed_and_labelled() -> None:
    for name, svg in pictures.draw().items():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img", name
        assert len(root.findtext("{http://www.w3.org/2000/svg}title") or "") > 40, name


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_told_and_labelled_in_both_languages(name: str) -> None:
    words = picture.words()[name]
    assert all(text.keys() == i18n.LANGUAGES.keys() for text in words.values())
    assert BANGLA.search(words["alt"]["bn"]) and not BANGLA.search(words["alt"]["en"])
    for lang in i18n.LANGUAGES:
        root = ElementTree.fromstring(picture.draw(name, lang))
        assert root.get("lang") == lang
        there = {text for text in root.itertext() if text.strip()}
        assert {text[lang] for text in words.values()} <= there


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_words_can_be_read_on_all_shapes(theme: str) -> None:
    css, _, dark = picture.draw("push-pull", "en").partition("@media (prefers-color-scheme: dark)")
    colours = palette(css)
    if theme == "dark":
        colours |= palette(dark.partition("@media")[0])
    texts = [colours[each]["fill"] for each in ("text", ".quiet")]
    shapes = {name: each for name, each in colours.items() if each.keys() == {"fill", "stroke"}}
    assert len(shapes) == 7
    for name, shape in shapes.items():
        assert min(contrast(text, shape["fill"]) for text in texts) >= 4.5, name
        if name not in (".card", ".box"):  # those two only group what is in them
            assert contrast(shape["stroke"], colours[".card"]["fill"]) >= 3, name
    assert contrast(colours[".line"]["stroke"], colours[".box"]["fill"]) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_nothing_moves_for_who_wants_calm_and_nothing_moves_for_ever(name: str) -> None:
    svg = picture.draw(name, "en")
    moving = ""
    while CALM in svg:
        start = svg.index(CALM)
        end = start + re.search(r"\n  \}", svg[start:]).end()  # type: ignore[union-attr]
        moving, svg = moving + svg[start:end], svg[:start] + svg[end:]
    assert not re.search("animat|keyframes|transition|<set", svg)
    assert "infinite" not in moving
    delays = [float(each) for each in re.findall(r"animation-delay: ([\d.]+)s", moving)] or [0]
    for seconds, times in re.findall(r"animation: \w+ ([\d.]+)s [\w-]+ (\d+)", moving):
        assert float(seconds) * int(times) + max(delays) <= 5  # WCAG 2.2 § 2.2.2
    assert bool(moving) == (name in ("push-pull", "rain-and-cloud"))


def test_no_word_sticks_out_or_stands_on_another(studio: Studio) -> None:
    page = studio.page.context.new_page()
    for name, svg in pictures.draw().items():
        page.set_content(svg)
        assert page.locator("svg").evaluate(MISPLACED) == [], name
    page.close()


def test_the_digests_drawn_are_those_of_the_courses_images(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    svg = picture.draw("layers-and-digests", "en")
    drawn: dict[str, Any] = {}
    for name in ("my-image", "hello-registry"):
        manifest = layout.manifest(layout.manifest(sample.build(layout, name)).manifests[0])
        drawn[manifest.digest] = None
        drawn |= {blob.digest: blob.size for blob in manifest.blobs}
    assert len(drawn) == 2 + 2 + 4
    assert sorted(re.findall(r">(\w{8})…<", svg)) == sorted(digest.short(d)[:8] for d in drawn)
    sizes = sorted(size for size in drawn.values() if size)
    assert sorted(int(size) for size in re.findall(r">(\d+) B<", svg)) == sizes


def test_lessons_show_pictures_in_their_language_with_their_alt_text() -> None:
    words = picture.words()
    for folder, alt, name, language in shown():
        assert language == folder
        assert alt == words[name]["alt"][language]


@pytest.mark.parametrize("code", i18n.LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_lab_shows_each_picture_anywhere(name: str, code: str) -> None:
    i18n.choose(code)
    view = lab.picture(name)
    root = ElementTree.fromstring(view.html().replace('auto">', 'auto"/>'))
    kind, _, data = (root.get("src") or "").partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == picture.draw(name, code)
    assert root.get("alt") == repr(view) == picture.words()[name]["alt"][code]
    assert view.html() == view.html(live=True) == view._repr_html_()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("push-pul", "Did you mean “push-pull”?"),
        ("two", "There are: two-hosts, two-names."),
        ("layers", "Did you mean “layers-and-digests”?"),
        ("", f"There are: {NAMES[0]}, {NAMES[1]}"),
        (5, f"There are: {NAMES[0]}, {NAMES[1]}"),
        (["push-pull"], "push-pull"),
        ("../pictures/base", "no picture"),
    ],
)
def test_a_picture_that_is_not_there_is_said_kindly(name: Any, said: str) -> None:
    with pytest.raises(picture.UnknownPicture) as caught:
        lab.picture(name)
    assert said in str(caught.value)
    i18n.choose("bn")
    assert "ছবি নেই" in str(caught.value)
