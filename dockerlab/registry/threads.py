"""Short work in threads: a few files are made, moved or removed.

Python's threads take turns, and each call to the system is one: where more than two do such work
at once, they spend their time on waiting for each other. Long work (hashing, reading, writing
pieces of blobs) is for `asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_pool = ThreadPoolExecutor(2, "short")


async def shortly(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work` in one of two threads, and give what it gives."""
    call = partial(work, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool, call)
