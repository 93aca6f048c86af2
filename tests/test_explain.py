"""docker's errors, in both dialects, each get their own explanation."""

from pathlib import Path

import pytest
import yaml

from dockerlab import i18n
from dockerlab.course.explain import explain, known_errors

TABLE = yaml.safe_load((Path(__file__).parent / "said.yaml").read_text("utf-8"))
UNKNOWN = TABLE.pop("unknown")
SAID = [
    (number, dialect, key, text)
    for number, errors in TABLE.items()
    for key, dialects in errors.items()
    for dialect, texts in dialects.items()
    for text in texts
]
BOTH_DIALECTS = {2, 9}  # whose texts have nothing in common


@pytest.mark.parametrize(("text", "key"), [(text, key) for *_, key, text in SAID])
def test_docker_says_and_the_course_explains(text: str, key: str) -> None:
    wanted = next(known for known in known_errors() if known.key == key)
    for code in i18n.LANGUAGES:
        i18n.choose(code)
        said = explain(text)
        assert said is not None and said.key == key
        assert said.means.endswith(wanted.means[code].rsplit("}", 1)[-1])
        assert said.do.endswith(wanted.do[code].rsplit("}", 1)[-1])
        assert "{" not in str(said) and len(str(said).split("\n")) == 2


def test_every_known_error_is_met_here() -> None:
    assert {known.key for known in known_errors()} == {key for *_, key, _text in SAID}
    assert {number for number, *_ in SAID} == set(range(26))
    for number in BOTH_DIALECTS:
        assert {"graph", "containerd"} <= {dialect for one, dialect, *_ in SAID if one == number}


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_nobody_knows_is_not_explained(text: str) -> None:
    assert explain(text) is None
    assert explain(text, ["pull", "My-Image"]) is None


def test_every_pattern_is_needed() -> None:
    """Each text of the table is found by one; and each pattern finds one of them."""
    for known in known_errors():
        texts = [text for *_, key, text in SAID if key == known.key]
        for pattern in known.patterns:
            assert any(pattern.search(text) for text in texts), (known.key, pattern.pattern)


def test_what_docker_named_is_named_again() -> None:
    said = explain('Conflict. The container name "/registry" is already in use by container "0a".')
    assert said and "called registry " in said.means and "docker rm -f registry" in said.do


def test_a_name_that_was_typed_is_explained_itself() -> None:
    said = explain(
        'Error parsing reference: "localhost:5000/My-Image" is not a valid repository/tag: '
        "invalid reference format: repository name (My-Image) must be lowercase",
        ["tag", "my-image", "localhost:5000/My-Image"],
    )
    assert str(said) == (
        "What it means: “My-Image” has capital letters, and a repository's name has none.\n"
        "What to do: Did you mean localhost:5000/my-image?"
    )
    said = explain("invalid reference format", ["pull", "--all-tags", "আমার"])
    assert (
        str(said)
        == "What it means: A name is written with a–z and 0–9; “আমার” does not belong in it."
    )
