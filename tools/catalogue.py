"""Keep the message catalogues: `python tools/catalogue.py compile|update|check`.

compile  write the .mo file beside each .po file (installing the package does that too)
update   bring the .po files in step with the code; translations are kept
check    say what is missing, unsure or broken, and exit with 1 if anything is
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parent.parent / "dockerlab"
_KEYWORDS = {"_": None, "ngettext": (1, 2)}
_IDLE = re.compile(
    r'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Report-Msgid-Bugs-To'
    r"|Last-Translator|Language-Team):.*\n",
    re.M,
)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def catalogues() -> list[Path]:
    """The .po files."""
    return sorted(PACKAGE.glob("locale/*/LC_MESSAGES/*.po"))


def compile_all() -> None:
    """Write each .mo file, at once, so that nobody reads half of one."""
    for po in catalogues():
        partial = po.with_suffix(".partial")
        with partial.open("wb") as target:
            write_mo(target, _read(po))
        partial.replace(po.with_suffix(".mo"))


def update() -> None:
    """Add what the code says anew, drop what it no longer says, sort by file."""
    template = _extract()
    for po in catalogues():
        catalogue = _read(po)
        catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.obsolete.clear()
        with po.open("wb") as target:
            write_po(target, catalogue, width=100, sort_by_file=True, omit_header=False)
        po.write_text(_without_lines(po.read_text("utf-8")), "utf-8")


def check() -> list[str]:
    """What is wrong, a line for each message."""
    template = _extract()
    wrong = []
    for po in catalogues():
        there = {message.id: message for message in _read(po) if message.id}
        for message in template:
            if message.id and (fault := _fault(message, there.get(message.id))):
                wrong.append(f"{po.parent.parent.name}: {fault}: {message.id!r}")
        known = {message.id for message in template}
        wrong += [f"{po.parent.parent.name}: obsolete: {id!r}" for id in there if id not in known]
    return wrong


def _fault(said: Message, translated: Message | None) -> str:
    if translated is None:
        return "missing"
    if translated.fuzzy:
        return "fuzzy"
    texts = _texts(translated.string)
    if not all(texts):
        return "empty"
    wanted = set(_PLACEHOLDER.findall(_texts(said.id)[-1]))
    if any(set(_PLACEHOLDER.findall(text)) != wanted for text in texts):
        return "other placeholders"
    return ""


def _texts(said: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [said] if isinstance(said, str) else list(said or ())


def _extract() -> Catalog:
    template = Catalog(project="dockerlab", charset="utf-8")
    methods = [("**.py", "python"), ("**.html.j2", "jinja2.ext:babel_extract")]
    found = extract_from_dir(PACKAGE, method_map=methods, keywords=_KEYWORDS)
    for file, line, message, comments, context in sorted(found, key=lambda each: each[:2]):
        place = [(f"dockerlab/{Path(file).as_posix()}", line)]
        template.add(message, None, place, auto_comments=comments, context=context)
    return template


def _read(po: Path) -> Catalog:
    """The entries of `po` that have a translation: of two for one message, the first counts."""
    blocks = po.read_text("utf-8").strip().split("\n\n")
    said = (block for block in blocks if not block.endswith('\nmsgstr ""'))
    return read_po(io.StringIO("\n\n".join(said) + "\n"))


def _without_lines(text: str) -> str:
    """File names without line numbers, a header without dates and blanks: fewer changes to read."""
    text = re.sub(r"^(#: .*)$", lambda line: re.sub(r":\d+(?= |$)", "", line[1]), text, flags=re.M)
    return _IDLE.sub("", text).replace("Version:  ", "Version: ").lstrip()


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    match arguments:
        case ["compile"]:
            compile_all()
        case ["update"]:
            update()
        case ["check"]:
            wrong = check()
            print("\n".join(wrong) or "All messages are translated.")
            return 1 if wrong else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
