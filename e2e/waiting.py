"""Waiting for what will come true, with a limit."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually[T](look: Callable[[], Awaitable[T | None]], *, within: float = 10, every: float = 0.1) -> T:
    """Look again and again until something is seen; fail when the time is over."""
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"still not so after {within} s: {look.__qualname__}"
        await asyncio.sleep(every)
