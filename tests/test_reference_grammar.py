"""Names made from the grammar are understood; anything else is refused, and nothing worse."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dockerlab.image.mistake import find
from dockerlab.image.reference import InvalidReference, Reference

settings.register_profile("patient", deadline=None)  # a busy machine breaks no grammar
settings.load_profile("patient")

SMALL = string.ascii_lowercase + string.digits
BOTH = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def text_of(alphabet: str, least: int = 1, most: int = 8) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


@st.composite
def components(draw: st.DrawFn) -> str:
    words = draw(st.lists(text_of(SMALL), min_size=1, max_size=3))
    separator = st.sampled_from([".", "_", "__", "-", "--", "----"])
    return words[0] + "".join(draw(separator) + word for word in words[1:])


@st.composite
def labels(draw: st.DrawFn) -> str:
    word = text_of(BOTH, 1, 4)
    return "-".join(draw(st.lists(word, min_size=1, max_size=3)))


@st.composite
def domains(draw: st.DrawFn) -> str:
    """What docker takes for a registry: something with a dot, a colon or a capital letter."""
    inner = text_of(HEX + ":", 2, 20)
    host = draw(
        st.one_of(
            st.just("localhost"),
            st.lists(labels(), min_size=2, max_size=4).map(".".join),
            inner.map(lambda address: f"[:{address}]"),
            labels().map(lambda label: "A" + label),
        )
    )
    return host + draw(st.one_of(st.just(""), text_of(string.digits, 1, 5).map(":{}".format)))


paths = st.lists(components(), min_size=1, max_size=4).map("/".join)
tags = st.builds("{}{}".format, st.sampled_from(BOTH + "_"), text_of(BOTH + "_.-", 0, 127))
digests = st.one_of(
    text_of(HEX, 64, 64).map("sha256:{}".format),
    text_of(HEX, 96, 96).map("sha384:{}".format),
    text_of(HEX, 128, 128).map("sha512:{}".format),
)


@given(domains(), paths, st.none() | tags, st.none() | digests)
@example("docker.io", "localhost/x", None, None)
@example("docker.io", "a.b/x", "1", None)
def test_every_name_of_the_grammar_comes_apart_and_back(
    domain: str, path: str, tag: str | None, digest: str | None
) -> None:
    text = f"{domain}/{path}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    name = Reference.parse(text)
    official = domain == "docker.io" and "/" not in path
    assert name.registry == domain
    assert name.repository == ("library/" + path if official else path)
    assert name.tag == (tag or (None if digest else "latest"))
    assert name.digest == digest
    assert Reference.parse(str(name)) == name
    assert Reference.parse(name.familiar) == name


@given(st.lists(components(), min_size=1, max_size=3), st.none() | tags)
def test_a_name_without_a_registry_is_on_docker_hub(parts: list[str], tag: str | None) -> None:
    if len(parts) > 1:  # keep the first part from looking like a registry
        parts[0] = parts[0].replace(".", "-") + "0"
    text = "/".join(parts) + (f":{tag}" if tag else ":latest")
    name = Reference.parse(text)
    assert name.registry == "docker.io"
    assert name.repository == "/".join(parts if len(parts) > 1 else ["library", *parts])
    assert Reference.parse(name.familiar) == name


nearly = st.text(alphabet="aB0.-_:/@[]% ১ক$", max_size=30) | st.text(max_size=30)
bad_digests = st.builds(
    "x@{}:{}".format, text_of("shaSHA256+.", 1, 8), text_of(HEX + "ABG:", 0, 140)
)


@given(nearly | bad_digests | domains() | paths.map(lambda path: path + "/"))
def test_any_text_is_a_name_or_is_refused_with_reasons(text: str) -> None:
    try:
        name = Reference.parse(text)
    except InvalidReference as error:
        assert error.rule != "format"
        assert error.text[error.position :].startswith(error.part)
        assert error.part or not text
        assert error.message()
        if error.suggestion is not None:
            assert error.suggestion != text
            Reference.parse(error.suggestion)
    else:
        assert Reference.parse(str(name)) == name
        assert Reference.parse(name.familiar) == name


@given(domains(), paths)
@example("[:0:a]", "0")
def test_a_pasted_address_is_mended_to_the_name_in_it(domain: str, path: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(f"https://{domain}/{path}")
    assert caught.value.rule == "scheme"
    if "." in domain or ":" in domain or domain == "localhost":
        assert caught.value.suggestion == f"{domain}/{path}"


def test_a_name_with_no_known_fault_gets_the_general_rule() -> None:
    assert find("nginx").rule == "format"
