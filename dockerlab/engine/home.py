"""Where dockerlab keeps its state."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def home() -> Path:
    """The folder of all state: DOCKERLAB_HOME, else the platform's data folder."""
    chosen = os.environ.get("DOCKERLAB_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("dockerlab", appauthor=False)


def private(path: Path) -> Path:
    """`path` as a folder that only its owner may enter, made if need be."""
    if not path.is_dir():
        private(path.parent)
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:  # which is no folder
            reason = os.strerror(errno.ENOTDIR)
            raise NotADirectoryError(errno.ENOTDIR, reason, str(path)) from None
    return path
