"""The glossary: whole, in both languages, what its notebooks are made of, and easy to ask."""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dockerlab import i18n, lab
from dockerlab.course import outline
from dockerlab.course.glossary import UnknownWord, Word, find, themes, words
from dockerlab.workspace import lesson
from tests.test_widgets import Balanced

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import glossary  # noqa: E402
import lint  # noqa: E402

import notebooks  # noqa: E402

WORDS = list(words().values())
BANGLA = re.compile("[\u0980-\u09ff]")
LINK = re.compile(r"glossary\.ipynb#([^)\s]*)")
HOUSE = {  # how the course calls things in Bangla, everywhere
    "registry": "রেজিস্ট্রি",
    "push": "পুশ",
    "image": "ইমেজ",
    "pull": "পুল",
    "container": "কনটেইনার",
    "login": "লগইন",
    "logout": "লগআউট",
    "repository": "রিপোজিটরি",
    "account": "অ্যাকাউন্ট",
    "tag": "ট্যাগ",
    "organisation": "সংগঠন",
    "digest": "ডাইজেস্ট",
    "password": "পাসওয়ার্ড",
    "layer": "লেয়ার",
    "certificate": "সার্টিফিকেট",
    "manifest": "ম্যানিফেস্ট",
    "volume": "ভলিউম",
    "blob": "ব্লব",
    "host": "হোস্ট",
    "engine": "ইঞ্জিন",
    "daemon": "ডেমন",
    "port": "পোর্ট",
    "namespace": "নেমস্পেস",
    "server": "সার্ভার",
    "client": "ক্লায়েন্ট",
    "storage": "সংরক্ষণাগার",
    "distribution": "বিতরণ",
    "public": "পাবলিক",
    "private": "প্রাইভেট",
    "cache": "ক্যাশ",
    "rain": "বৃষ্টি",
    "cloud": "মেঘ",
    "exercise": "অনুশীলন",
    "hint": "ইঙ্গিত",
    "error": "ত্রুটি",
    "question": "প্রশ্ন",
    "answer": "উত্তর",
}


def word_id(word: Word) -> str:
    return word.id


def cells(lang: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = notebooks.read(notebooks.ROOT / lang / "glossary.ipynb")["cells"]
    return found


def test_the_notebooks_are_what_the_words_make() -> None:
    assert glossary.stale() == []


def test_notebooks_that_are_not_are_named(tmp_path: Path) -> None:
    for lang in i18n.LANGUAGES:
        (tmp_path / lang).mkdir()
    path = tmp_path / "en" / "glossary.ipynb"
    made = glossary.make("en", notebooks.ROOT / "en" / "glossary.ipynb")
    notebooks.write(path, made)
    assert glossary.stale(tmp_path) == ["bn/glossary.ipynb"]
    made["cells"][5]["source"] += "!"
    notebooks.write(path, made)
    assert glossary.stale(tmp_path) == ["bn/glossary.ipynb", "en/glossary.ipynb"]


def test_every_word_has_a_name_and_a_theme_of_its_own() -> None:
    ids = [word.id for theme in themes() for word in theme.words]
    ids += [f"theme-{theme.id}" for theme in themes()]
    assert [id for id, times in Counter(ids).items() if times > 1] == []
    assert len(words()) >= 60
    for lang in i18n.LANGUAGES:
        named = Counter(word.texts[lang].casefold() for word in WORDS)
        assert [name for name, times in named.items() if times > 1] == []


def test_the_words_of_the_house_are_here_as_the_house_says_them() -> None:
    assert {id: words()[id].texts["bn"] for id in HOUSE} == HOUSE


@pytest.mark.parametrize("word", WORDS, ids=word_id)
def test_every_word_is_explained_in_both_languages_shortly(word: Word) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word.id)
    assert word.texts.keys() == word.means.keys() == i18n.LANGUAGES.keys()
    assert BANGLA.search(word.texts["bn"]) and BANGLA.search(word.means["bn"])
    for lang, said in word.means.items():
        assert 8 <= len(said.split()) <= 35, lang
        assert 1 <= len(re.findall(r"[।.?!](?=\s|$)", said)) <= 3, lang
        assert said.count("`") % 2 == 0 and "|" not in said and "\n" not in said, lang


@pytest.mark.parametrize("word", WORDS, ids=word_id)
def test_every_word_leads_to_its_lesson_and_to_others(word: Word) -> None:
    assert word.lesson in {lesson.name for lesson in outline.lessons()}
    assert word.see and set(word.see) <= words().keys() - {word.id}
    assert len(set(word.see)) == len(word.see)


def test_every_link_into_the_glossary_leads_to_a_heading() -> None:
    lost = []
    for path in sorted((ROOT / "notebooks").glob("*/*.ipynb")):
        anchors = lint.anchors(path.with_name("glossary.ipynb"))
        prose = [c["source"] for c in notebooks.read(path)["cells"] if c["cell_type"] == "markdown"]
        lost += [f"{path.name}: {id}" for id in LINK.findall("".join(prose)) if id not in anchors]
    assert lost == []


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_every_word_stands_under_its_anchor_in_both_languages(lang: str) -> None:
    there = {cell["id"]: cell["source"] for cell in cells(lang)}
    for word in WORDS:
        source = there[word.id]
        assert source.startswith(f"### {word.id}\n")
        for said in (*word.means.values(), *word.texts.values()):
            assert f"| {said} |" in source
        first = source.index(word.means[lang])
        assert all(source.index(said) >= first for said in word.means.values())


def test_the_glossary_opens_by_its_name() -> None:
    assert lesson("glossary") == lesson("gloss") == "glossary.ipynb"


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("digest", "digest"),
        ("  Digest ", "digest"),
        ("ডাইজেস্ট", "digest"),
        ("garbage collection", "garbage-collection"),
        ("garbage_collection", "garbage-collection"),
        ("CONFIG.JSON", "config-json"),
        ("certificate authority", "ca"),
        ("এপিআই", "api"),
        ("লেয়ার", "layer"),  # with য and its dot apart
        ("লে\u09dfার", "layer"),  # and as one letter
    ],
)
def test_a_word_is_found_however_it_is_written(text: str, id: str) -> None:
    assert find(text).id == id


@pytest.mark.parametrize("word", WORDS, ids=word_id)
def test_every_word_is_found_by_all_its_names(word: Word) -> None:
    for name in (word.id, *word.texts.values()):
        assert lab.word(name).word.id == word.id


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_the_lab_shows_a_word_in_both_languages_the_learners_first(lang: str) -> None:
    i18n.choose(lang)
    shown, word = lab.word("volume"), words()["volume"]
    seen = Balanced(shown.html())
    other = next(code for code in i18n.LANGUAGES if code != lang)
    assert repr(shown).startswith(f"{word.texts[lang]}: ")
    for said in word.means.values():
        assert said in repr(shown) and said.replace("`", "") in seen.text
    assert seen.text.index(word.means[lang]) < seen.text.index(word.means[other])
    assert 'href="08-secure-and-keep.ipynb"' in shown.html()
    assert all(words()[id].texts[lang] in seen.text for id in word.see)
    assert "<button" not in shown.html()


def test_a_related_word_is_one_click_away() -> None:
    shown = lab.word("volume")
    assert '<button data-do="look" value="mount">mount</button>' in shown.html(live=True)
    shown.handle("look", "mount")
    assert shown.word == words()["mount"] and not shown.trouble
    shown.handle("look", "mont")
    assert shown.word == words()["mount"] and "mount" in shown.trouble


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("volum", "Did you mean “volume”?"),
        ("diggest", "Did you mean “digest”?"),
        ("ডাইজেস", "Did you mean “ডাইজেস্ট”?"),
        ("<b>xyzzy</b>", "has no “<b>xyzzy</b>”"),
        ("", "All its words are in glossary.ipynb"),
        (5, "has no “5”"),
        (None, "has no “None”"),
    ],
)
def test_a_word_that_is_not_there_is_said_kindly(text: Any, said: str) -> None:
    with pytest.raises(UnknownWord) as caught:
        lab.word(text)
    assert said in str(caught.value)
    i18n.choose("bn")
    assert "শব্দকোষে" in str(caught.value)
