"""What a registry does again and again, beside its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dockerlab.registry.journal import log
from dockerlab.registry.settings import UploadPurging
from dockerlab.registry.storage import Storage

_OFTEN = 0.05  # seconds; more often nothing is done


@contextmanager
def regularly(interval: float, chore: Callable[[], object], name: str) -> Iterator[None]:
    """Meanwhile, do the chore every `interval` seconds; the log tells of its OSErrors."""
    ended = threading.Event()
    pause = min(max(interval, _OFTEN), threading.TIMEOUT_MAX)

    def work() -> None:
        while not ended.wait(pause):
            try:
                chore()
            except OSError as error:
                log("error", f"{name}: {error}")

    threading.Thread(target=work, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@contextmanager
def purging(storage: Storage, rule: UploadPurging) -> Iterator[None]:
    """Meanwhile, remove uploads that nobody goes on with (`storage.maintenance.uploadpurging`)."""

    def purge() -> None:
        found = storage.purge(rule.age, dry_run=rule.dryrun)
        for folder in found:
            place = folder.relative_to(storage.root).as_posix()
            log("info", f"Upload files in /{place} are too old.  Removing upload directory.")
        deleted = 0 if rule.dryrun else len(found)
        log("info", f"Purge uploads finished.  Num deleted={deleted}, num errors=0")

    if not rule.enabled:
        yield
        return
    with regularly(rule.interval, purge, "upload purging"):
        yield
