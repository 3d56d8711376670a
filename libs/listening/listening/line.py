"""Waiting in line for a database connection: whoever came first has the next one that is free.

SQLAlchemy's own queue lets newcomers take what was put back for those who wait, and sends these to the end again: with
a hundred at once the slowest waited six times as long as most.
"""

import asyncio
from collections import deque
from typing import Any

from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_
from sqlalchemy.util.queue import AsyncAdaptedQueue, Empty


class Line(AsyncAdaptedQueue[Any]):
    """What is put back goes to whoever waits longest; it is free for all only when nobody waits."""

    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:  # noqa: FBT001, FBT002 - SQLAlchemy's shape
        super().__init__(maxsize, use_lifo)
        self._waiting: deque[asyncio.Future[Any]] = deque()

    def put_nowait(self, item: Any) -> None:
        """Hand it over, or keep it."""
        while self._waiting:
            first = self._waiting.popleft()
            # whoever gave up is still in line
            if not first.done():
                first.set_result(item)
                return
        super().put_nowait(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - SQLAlchemy's shape
        """Take what is free, or wait for one's turn; Empty if it does not come in time."""
        if not block or not self.empty():
            return self.get_nowait()
        return await_(self._turn(timeout))

    async def _turn(self, within: float | None) -> Any:
        mine: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            async with asyncio.timeout(within):
                return await mine
        except BaseException as error:
            # it came just as we gave up: the next one's
            if mine.done() and not mine.cancelled():
                self.put_nowait(mine.result())
            if isinstance(error, TimeoutError):
                raise Empty from error
            raise


class FairPool(AsyncAdaptedQueuePool):
    """Connections for as many as come, each in turn."""

    _queue_class = Line
