"""What time it is by the database, whose clock all processes have in common."""

from collections.abc import Callable
from datetime import datetime, timedelta

from common.db import Database
from sqlalchemy import text

_NOW = text("select clock_timestamp()")


async def clock_off(database: Database, clock: Callable[[], datetime]) -> timedelta:
    """Tell by how much a clock is ahead of the database's."""
    async with database.engine.connect() as connection:
        now: datetime = (await connection.execute(_NOW)).scalar_one()
    return clock() - now
