"""Files that come to their places whole, and that a power cut leaves there.

A new file is written in a folder of its own, brought to the disk, and only then renamed to its
place; then the folder of that place is brought to the disk. So what is done in order stays in
order: whatever a power cut leaves, what is pointed to is there if what points to it is.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Sync = Callable[[int], object]  # brings an open file or folder to the disk

_TRIES = 10  # how often a folder may be swept away between making it and filling it
_NO_FOLDERS = (errno.EINVAL, errno.ENOTSUP)  # file systems that cannot sync a folder


class Disk:
    """Changes below one folder, by way of its subfolder `partial`."""

    def __init__(self, partial: Path, sync: Sync = os.fsync) -> None:
        self.partial = partial
        self._sync = sync

    def new(self) -> Path:
        """A path for a file or folder that is not yet in its place."""
        return self.partial / uuid.uuid4().hex

    def make(self, folder: Path) -> None:
        """The folder, with those above it, there to stay."""
        if folder.is_dir():
            return
        self.make(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        self.sync_folder(folder.parent)

    def stage(self, content: bytes, file: Path | None = None) -> Path:
        """A file with this content that can be moved into place."""
        file = file or self.new()
        try:
            with open(file, "wb", buffering=0) as writer:
                rest = memoryview(content)
                while rest:
                    rest = rest[writer.write(rest) :]
                self._sync(writer.fileno())
        except OSError:
            file.unlink(missing_ok=True)
            raise
        return file

    def move(self, staged: Path, target: Path) -> None:
        """Put a file or folder, whose content is on the disk, in its place; it goes if it fails."""
        try:
            for tries in range(_TRIES, -1, -1):
                try:
                    self.make(target.parent)
                    os.replace(staged, target)
                    break
                except FileNotFoundError:
                    if not tries or not staged.exists():
                        raise
            with suppress(FileNotFoundError):  # another process swept it away already
                self.sync_folder(target.parent)
        except OSError:
            remove(staged)
            raise

    def discard(self, folder: Path) -> bool:
        """Remove a folder with all it holds; False if it was not there."""
        gone = self.new()
        try:
            os.replace(folder, gone)
        except FileNotFoundError:
            return False
        self.sync_folder(folder.parent)
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def unlink(self, file: Path) -> bool:
        """Remove a file; False if it was not there."""
        try:
            file.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        with suppress(FileNotFoundError):
            self.sync_folder(file.parent)
        return True

    def sync_file(self, file: Path) -> None:
        """Bring what was written to a file to the disk."""
        with open(file, "r+b", buffering=0) as writer:
            self._sync(writer.fileno())

    def sync_folder(self, folder: Path) -> None:
        """Bring the names in a folder to the disk, where the system knows how to."""
        if os.name == "nt":
            return
        opened = os.open(folder, os.O_RDONLY)
        try:
            self._sync(opened)
        except OSError as error:
            if error.errno not in _NO_FOLDERS:
                raise
        finally:
            os.close(opened)


def touch(file: Path, ahead: float = 0) -> None:
    """Set when a file was changed: now, or some seconds from now; whoever may not, need not."""
    when = time.time_ns() + int(ahead * 1e9)
    with suppress(OSError):
        os.utime(file, ns=(when, when))


def changed(path: Path) -> int:
    """When a file or folder was changed, in nanoseconds since 1970; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def names(folder: Path) -> list[str]:
    """The names in a folder; none if there is no such folder."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def taken(file: Path) -> Path:
    """Where a file is while who collects garbage has it in hand and decides about it."""
    return file.with_name(file.name + ".taken")


def rescue(file: Path, ahead: float = 0) -> bool:
    """Put a file back that somebody has in hand, `touch`ed; False if nobody has."""
    hand = taken(file)
    if not hand.exists():
        return False
    touch(hand, ahead)
    try:
        os.replace(hand, file)
    except FileNotFoundError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a file, or a folder with all it holds, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
