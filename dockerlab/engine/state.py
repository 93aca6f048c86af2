"""Small files of state: written whole or not at all, read with a check."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from dockerlab.errors import DockerlabError
from dockerlab.i18n import _


class Damaged(DockerlabError):
    """The state file at `path` cannot be read."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path

    def message(self) -> str:
        return _(
            "The file {path} is damaged. “docker rm -f {id}” removes what it describes; "
            "everything else still works."
        ).format(path=self.path, id=self.path.parent.name[:12])


def read(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; Damaged if there is none, FileNotFoundError if no file."""
    content = path.read_bytes()
    try:
        data = json.loads(content)
    except ValueError:
        raise Damaged(path) from None
    if not isinstance(data, dict):
        raise Damaged(path)
    return data


def write(path: Path, data: dict[str, Any], indent: str | None = None) -> None:
    """Replace `path` at once; only its owner may read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=indent)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
