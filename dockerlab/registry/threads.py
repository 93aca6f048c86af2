"""Short work: a few small files are made, moved or removed.

Python's threads take turns, and each call to the system is one. Where the disk answers at once,
they spend more time on waiting for each other than on the work: there it is done on the spot. As
soon as some takes long, threads do it, and keep others from waiting, until a second has passed.
Long work (hashing, large files, long lists) is for `asyncio.to_thread` at any rate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_LONG = 0.005  # seconds for which all other requests may wait
_AGAIN = 1  # seconds until the disk may show that it is quick now
_pool = ThreadPoolExecutor(8, "short")
_threads_until = 0.0


async def shortly(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work`, here or in a thread, and give what it gives."""
    global _threads_until
    began = monotonic()
    if began < _threads_until:
        call = partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(_pool, call)
    try:
        return work(*args, **kwargs)
    finally:
        ended = monotonic()
        if ended - began > _LONG:
            _threads_until = ended + _AGAIN
