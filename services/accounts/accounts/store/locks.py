"""Two requests that would create the same thing come one after the other, instead of one failing on a constraint."""

from common.transaction import Transaction
from sqlalchemy import func, select


async def hold(unit: Transaction, *names: str) -> None:
    """Hold names until the end of the transaction, always in the same order."""
    for name in sorted(names):
        await unit.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
