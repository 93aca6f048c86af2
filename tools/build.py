"""Build hook: compiles the message catalogues and takes the lessons into the package.

An editable installation and a source distribution leave the lessons where they are.
"""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LESSONS = ("*.md", "??/*.ipynb", "pictures/*")  # not what lessons make beside themselves


class Package(BuildHookInterface):  # type: ignore[type-arg]
    """Puts into the package what is not committed in its folder."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for po in Path(self.root, "dockerlab", "locale").glob("*/LC_MESSAGES/*.po"):
            with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))
        if self.target_name == "wheel" and version != "editable":
            for kind in LESSONS:
                for path in sorted(Path(self.root, "notebooks").glob(kind)):
                    name = path.relative_to(self.root).as_posix()
                    build_data["force_include"][name] = f"dockerlab/{name}"
