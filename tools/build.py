"""Build hook: compiles the message catalogues and takes the lessons into the package.

An editable installation and a source distribution leave the lessons where they are.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UNDATED = datetime(1980, 1, 1)  # the same project makes the same package at any time
LESSONS = ("*.md", "??/*.ipynb", "pictures/*")  # not what lessons make beside themselves


class Package(BuildHookInterface):  # type: ignore[type-arg]
    """Puts into the package what is not committed in its folder."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        for po in Path(self.root, "dockerlab", "locale").glob("*/LC_MESSAGES/*.po"):
            partial = po.with_suffix(".partial")  # somebody may read the old one meanwhile
            with po.open("rb") as source, partial.open("wb") as target:
                catalogue = read_po(source)
                catalogue.creation_date = UNDATED
                write_mo(target, catalogue)
            partial.replace(po.with_suffix(".mo"))
        if version != "editable":
            for kind in LESSONS:
                for path in sorted(Path(self.root, "notebooks").glob(kind)):
                    name = path.relative_to(self.root).as_posix()
                    build_data["force_include"][name] = f"dockerlab/{name}"
