"""README, citation, changelog and workflow say the same as the project."""

import re
import struct
import sys
from pathlib import Path
from typing import Any

import yaml

import dockerlab
from dockerlab import workspace
from dockerlab.i18n import LANGUAGES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HOME = PROJECT["urls"]["Repository"]
README = (ROOT / "README.md").read_text("utf-8")
BANGLA = re.compile("[\u0980-\u09ff]")
LARGEST = 150_000  # bytes of a picture


def test_there_is_one_home_and_one_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited["repository-code"] == HOME
    assert str(cited["version"]) == PROJECT["version"] == dockerlab.__version__
    assert cited["license"] == PROJECT["license"]
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text("utf-8")
        hosted = re.findall(r"(?:https://github\.com|/v2/gh)/([\w.-]+/[\w.-]+)", text)
        assert {f"https://github.com/{each}" for each in hosted} <= {HOME}, name
    assert all(url.startswith(HOME) for url in PROJECT["urls"].values())


def test_binder_opens_the_start_page_and_every_lesson() -> None:
    base = f"{HOME.replace('https://github.com', 'https://mybinder.org/v2/gh')}/HEAD"
    links = re.findall(r"\]\((https://mybinder\.org/v2/[^)]+)\)", README)
    wanted = [f"{lang}/{name}.ipynb" for lang in LANGUAGES for name in workspace.lessons()]
    places = {f"{base}?urlpath=lab/tree/notebooks/{each}" for each in ("start.md", *wanted)}
    assert set(links) == places


def test_every_picture_is_there_small_and_described_in_its_language() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\((?!https:)([^)]+)\)", README)
    kept = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(".github/screenshots/*")}
    assert kept <= {path for _, path in pictures}
    for words, path in pictures:
        lang = path.split(".")[-2]
        assert len(words) > 20 and bool(BANGLA.search(words)) == (lang == "bn"), path
        assert (ROOT / path).stat().st_size <= LARGEST, path
        if path.endswith(".png"):
            width, _ = struct.unpack(">II", (ROOT / path).read_bytes()[16:24])
            assert width >= 800, path


def test_what_readme_links_to_is_there() -> None:
    places = re.findall(r"\]\((?!https:)([^)]+)\)", README)
    headings = re.findall(r"^#+ (.+)$", README, re.M)
    anchors = {
        "#" + re.sub(r"[^\w\u0980-\u09ff -]", "", h).lower().replace(" ", "-") for h in headings
    }
    for place in places:
        assert place in anchors if place.startswith("#") else (ROOT / place).exists(), place


def test_the_workflow_tests_everywhere_and_may_only_read() -> None:
    workflow: dict[Any, Any] = yaml.safe_load(
        (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    )
    assert workflow["permissions"] == {"contents": "read"}
    lessons, gate = workflow["jobs"]["lessons"], workflow["jobs"]["gate"]
    matrix = lessons["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    oldest = re.findall(r"[\d.]+", PROJECT["requires-python"])[0]
    assert matrix["python"][0] == oldest
    for version in matrix["python"]:
        assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]
    assert "python -m pytest --no-cov notebooks" in [step.get("run") for step in lessons["steps"]]
    assert ".ci/run" in [step.get("run") for step in gate["steps"]]
    for step in [*lessons["steps"], *gate["steps"]]:
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4"))
