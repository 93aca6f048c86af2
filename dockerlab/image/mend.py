"""What a learner may have meant by a name that docker refuses."""

from __future__ import annotations

import re
import unicodedata

from dockerlab.image import userinfo
from dockerlab.image.grammar import DOMAIN, OFFICIAL, PATH_LIMIT, TAG_LIMIT, is_domain

_WORDS = {
    "লোকালহোস্ট": "localhost",
    "লেটেস্ট": "latest",
    "মাই-ইমেজ": "my-image",
    "রেজিস্ট্রি": "registry",
}
_QUOTES = "\"'`“”‘’"


def mend(text: str) -> str | None:
    """A name close to `text` that may be valid, or None if nothing sensible is left."""
    name, at, digest = _cleaned(text).partition("@")
    if at and ":" not in digest:  # my-image@v1
        name, digest = f"{name}:{digest}", ""
    name = re.sub(r"^([^/:[\]]+:[0-9]+):(?=[A-Za-z])", r"\1/", name)  # localhost:5000:my-image
    first, slash, rest = name.partition("/")
    domain: str | None = ""
    if slash and is_domain(first) and (first == "localhost" or re.search("[.:]", first)):
        domain = _domain(first)
    else:
        rest = name
    path, colon, tag = rest.partition(":")
    parts = [_component(part) for part in path.split("/") if part.strip("._-")]
    tag = _words(tag, r"[^A-Za-z0-9._-]").lstrip(".-")[:TAG_LIMIT]
    if domain is None or not parts or not all(parts) or (colon and rest[-1] != ":" and not tag):
        return None
    limit = PATH_LIMIT - (0 if domain else len(OFFICIAL))
    path = "/".join(parts)[:limit].rstrip("/._-")
    prefix = f"{domain}/" if domain else ""
    return prefix + path + (f":{tag}" if tag else "") + (f"@{digest.lower()}" if digest else "")


def _cleaned(text: str) -> str:
    text = "".join(_plain(each) for each in unicodedata.normalize("NFKC", userinfo.drop(text)))
    for bangla, latin in _WORDS.items():
        text = text.replace(unicodedata.normalize("NFKC", bangla), latin)
    text = text.strip().strip(_QUOTES).strip().replace("\\", "/")
    text = re.sub(r"^docker\s+(image\s+)?(pull|push)\s+", "", text)
    text = re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://+|https?:/*)", "", re.sub(r"\s+", "-", text))
    text = re.sub(r"^(www\.)?hub\.docker\.com/(_|r)/", "", text)
    return re.sub(r"/+", "/", text).lstrip("/")


def _plain(character: str) -> str:
    """Digits of any script as 0–9, and nothing that cannot be seen."""
    if character.isdecimal():
        return str(int(character))
    return "" if unicodedata.category(character) == "Cf" else character


def _domain(text: str) -> str | None:
    if text.startswith("["):
        text = re.sub(r"%[^]]*", "", text)
    elif re.fullmatch("[0-9A-Fa-f:]*::[0-9A-Fa-f:]*", text):
        text = f"[{text}]"
    else:
        host, _colon, port = re.sub(":+", ":", text).partition(":")
        labels = (_words(label, "[^A-Za-z0-9-]").strip("-") for label in host.split("."))
        number = "".join(re.findall("[0-9]+", port))
        text = ".".join(filter(None, labels)) + (f":{number}" if number else "")
    return text if DOMAIN.fullmatch(text) else None


def _component(text: str) -> str:
    words = _words(text.lower(), "[^a-z0-9._-]")
    return re.sub(r"[._-]+", _separator, words).strip("._-")


def _separator(found: re.Match[str]) -> str:
    return found[0] if re.fullmatch(r"\.|__?|-+", found[0]) else found[0][0]


def _words(text: str, strange: str) -> str:
    """`text` with a dash for what cannot stand in it; nothing if nothing else is left."""
    return re.sub(f"{strange}+", "-", text).strip("-") if re.search(r"[A-Za-z0-9_]", text) else ""
