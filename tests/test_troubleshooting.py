"""The notebook troubleshooting: a section for each of the course's errors, which it shows."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockerlab import i18n
from dockerlab.course import progress
from dockerlab.course.explain import explain, known_errors
from dockerlab.i18n import LANGUAGES
from dockerlab.widgets.explain import ExplainView
from dockerlab.widgets.meaning import TROUBLESHOOTING

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import lint  # noqa: E402

import notebooks  # noqa: E402

SPARES = {"delete-disabled", "disk-full"}
# Whose words are quoted: they would take a learner's own account, settings, rights, disk or a Mac.
QUOTED = {
    "interactive-login",
    "credential-store",
    "no-permission",
    "not-a-registry",
    "hub-login",
    "rate-limit",
}
PRACTISED = {known.key: known for known in known_errors() if known.practised}
Cell = dict[str, Any]


def sections(lang: str) -> dict[str, list[Cell]]:
    """The cells of each section by its heading."""
    path = ROOT / "notebooks" / lang / f"{TROUBLESHOOTING}.ipynb"
    found: dict[str, list[Cell]] = {}
    here = ""
    for cell in notebooks.read(path)["cells"]:
        for level, text in lint.headings([cell]):
            here = text if level == 3 and "✏️" not in text else ""
        if here:
            found.setdefault(here, []).append(cell)
    return found


def of_the_course() -> set[str]:
    """The keys of the 25 errors and of the spares."""
    said = yaml.safe_load((Path(__file__).parent / "said.yaml").read_text("utf-8"))
    return SPARES | {key for number, keys in said.items() if number in range(1, 26) for key in keys}


def printed(cell: Cell) -> str:
    """What a cell wrote."""
    streams = [each for each in cell["outputs"] if each["output_type"] == "stream"]
    return "".join("".join(each["text"]) for each in streams)


def quoted(cell: Cell) -> Iterator[str]:
    """The texts that a cell has explained."""
    for node in ast.walk(ast.parse(cell["source"])):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lab.explain":
            yield from (each.value for each in node.args if isinstance(each, ast.Constant))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_error_of_the_course_has_its_section_and_its_link(lang: str) -> None:
    assert set(sections(lang)) == set(PRACTISED) == of_the_course()
    path = ROOT / "notebooks" / lang / f"{TROUBLESHOOTING}.ipynb"
    listed = next(cell for cell in notebooks.read(path)["cells"] if cell["id"] == "list")
    for key in PRACTISED:
        assert f"[{key}](#{key})" in listed["source"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", sorted(set(PRACTISED) - {"disk-full"}))
def test_each_section_shows_its_error_in_dockers_words_and_mends_it(lang: str, key: str) -> None:
    i18n.choose(lang)
    code = [cell for cell in sections(lang)[key] if cell["cell_type"] == "code"]
    (tried,) = [cell for cell in code if cell["id"] == f"{key}-try"]
    said = next(quoted(tried)) if key in QUOTED else printed(tried)
    meaning = explain(said)
    assert meaning and meaning.key == meaning.section == key
    shown = [each for each in tried["outputs"] if each["output_type"] != "stream"]
    assert meaning.do or shown
    assert "text/html" in shown[-1]["data"]
    for cell in code:
        if cell["id"] == f"{key}-mend":
            assert cell["outputs"] and explain(printed(cell)) is None


@pytest.mark.parametrize("key", sorted(set(PRACTISED) - QUOTED - {"disk-full"}))
def test_what_can_be_mended_here_is(key: str) -> None:
    assert [cell for cell in sections("en")[key] if cell["id"] == f"{key}-mend"]


def test_an_explanation_leads_to_its_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKERLAB_HOME", str(tmp_path))
    link = 'href="troubleshooting.ipynb#plain-http"'
    text = "http: server gave HTTP response to HTTPS client"
    assert link in ExplainView(text).html() and link in ExplainView(text).html(live=True)
    assert "troubleshooting" not in repr(ExplainView(text))
    assert "href" not in ExplainView("No such container: x").html()
    assert "href" not in ExplainView("some error of the year 2031").html()
    progress.began(TROUBLESHOOTING)
    assert "href" not in ExplainView(text).html()


@pytest.mark.parametrize(
    ("name", "key"),
    [("localhost:5000/X", "uppercase"), ("http://localhost/x", "invalid-reference")],
)
def test_a_name_that_is_none_leads_there_too(name: str, key: str) -> None:
    words = {"uppercase": "invalid reference format: repository name (X) must be lowercase"}
    said = words.get(key, "invalid reference format")
    meaning = explain(said, ["pull", name])
    assert meaning and (meaning.key, meaning.section) == ("name", key)
