"""Time and ids as tests give them."""

import os
import time
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def set(self, at: datetime) -> None:
        self.at = at

    def advance(self, by: timedelta) -> None:
        self.at += by


class Ids:
    """UUIDv7 that count up, and that no other run or worker counts through: the bus remembers ids for a while."""

    def __init__(self) -> None:
        self._next = (time.time_ns() // 1_000_000 << 80) | 7 << 76 | (os.getpid() & 0xFFF) << 64 | 2 << 62

    def __call__(self) -> UUID:
        self._next += 1
        return UUID(int=self._next)
