"""Two languages, nothing missing: every string translated, every text of the course in both."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockerlab import i18n

ROOT = Path(__file__).parent.parent
BANGLA = re.compile("[\u0980-\u09ff]")
COURSE = sorted((ROOT / "dockerlab" / "course").rglob("*.yaml"))


def catalogue(command: str, *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/catalogue.py", command],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def texts(data: Any, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every entry that is there in at least one language, and where it stands."""
    if isinstance(data, dict):
        if data.keys() & i18n.LANGUAGES.keys():
            yield path, data
        for key, value in data.items():
            yield from texts(value, f"{path}/{key}")
    for number, value in enumerate(data if isinstance(data, list) else ()):
        yield from texts(value, f"{path}/{number}")


def test_every_string_is_translated_and_none_is_left_over() -> None:
    done = catalogue("check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("source", COURSE, ids=lambda path: path.name)
def test_every_text_of_the_course_is_there_in_both_languages(source: Path) -> None:
    entries = list(texts(yaml.safe_load(source.read_text("utf-8"))))
    assert entries
    for where, entry in entries:
        said = {key: text for key, text in entry.items() if key != "when"}  # of a hint
        assert said.keys() == i18n.LANGUAGES.keys(), where
        words = re.sub(r"\{\w+\}", "", said["en"])
        assert bool(BANGLA.search(said["bn"])) == bool(words.strip()), where
        assert not BANGLA.search(said["en"]), where
        names = {code: set(re.findall(r"\{\w+\}", text)) for code, text in said.items()}
        assert names["bn"] == names["en"], where


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package of two strings, with its own catalogue and the real tool."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "catalogue.py").write_bytes((ROOT / "tools/catalogue.py").read_bytes())
    package = tmp_path / "dockerlab"
    (package / "locale" / "bn" / "LC_MESSAGES").mkdir(parents=True)
    (package / "b.py").write_text('_("Push {name}")\n_("Pull")\n')
    (package / "a.py").write_text('ngettext("{n} tag", "{n} tags", 2)\n')
    po = package / "locale" / "bn" / "LC_MESSAGES" / "dockerlab.po"
    po.write_text(
        'msgid ""\nmsgstr ""\n"Language: bn\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
        'msgid "Pull"\nmsgstr "পুল"\n\nmsgid "Gone"\nmsgstr "নেই"\n',
        "utf-8",
    )
    return tmp_path


def test_update_adds_what_is_new_drops_what_is_gone_and_keeps_translations(project: Path) -> None:
    po = project / "dockerlab" / "locale" / "bn" / "LC_MESSAGES" / "dockerlab.po"
    assert catalogue("update", cwd=project).returncode == 0
    text = po.read_text("utf-8")
    assert 'msgid "Pull"\nmsgstr "পুল"' in text and "Gone" not in text
    assert text.index("{n} tag") < text.index("Push {name}") and "b.py:1" not in text
    assert catalogue("update", cwd=project).returncode == 0
    assert po.read_text("utf-8") == text


def test_check_names_what_is_missing_left_over_unsure_or_broken(project: Path) -> None:
    po = project / "dockerlab" / "locale" / "bn" / "LC_MESSAGES" / "dockerlab.po"
    done = catalogue("check", cwd=project)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "bn: missing: ('{n} tag', '{n} tags')",
        "bn: missing: 'Push {name}'",
        "bn: obsolete: 'Gone'",
    ]
    catalogue("update", cwd=project)
    text = po.read_text("utf-8")
    whole = text.replace('[0] ""', '[0] "{n}টা ট্যাগ"').replace('[1] ""', '[1] "{n}টা ট্যাগ"')
    po.write_text(whole.replace('{name}"\nmsgstr ""', '{name}"\nmsgstr "পুশ {nam}"'), "utf-8")
    assert catalogue("check", cwd=project).stdout == "bn: other placeholders: 'Push {name}'\n"
    po.write_text(po.read_text("utf-8").replace("{nam}", "{name}"), "utf-8")
    assert catalogue("check", cwd=project).returncode == 0
    po.write_text(po.read_text("utf-8").replace('msgid "Pull"', '#, fuzzy\nmsgid "Pull"'), "utf-8")
    assert catalogue("check", cwd=project).stdout == "bn: fuzzy: 'Pull'\n"


def test_an_unknown_command_of_the_tool_shows_how_it_is_used() -> None:
    assert catalogue("frobnicate").returncode == 2
    assert "compile|update|check" in catalogue("frobnicate").stdout


def test_the_notebooks_folder_decides_and_a_choice_overrides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bn").mkdir()
    monkeypatch.chdir(tmp_path / "bn")
    assert i18n.language() == "en"  # DOCKERLAB_LANG, which the tests set
    monkeypatch.delenv("DOCKERLAB_LANG")
    assert i18n.language() == "bn"
    i18n.choose("en")
    assert i18n.language() == "en"
    i18n.choose(None)
    assert i18n.language() == "bn"
    with pytest.raises(ValueError, match="fr"):
        i18n.choose("fr")


def test_digits_are_bangla_in_bangla_prose_only() -> None:
    assert i18n.digits(5000) == "5000"
    i18n.choose("bn")
    assert i18n.digits(5000) == "৫০০০"
    assert i18n.pick({"bn": "হ্যাঁ", "en": "yes"}) == "হ্যাঁ"
