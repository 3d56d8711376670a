"""Sealing everything anew after the data key was changed (换钥): as often as wanted, from where it was broken off."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from sealing.columns import Sealed, left, step
from sealing.keys import KeyRing

BATCH = 200
ROUNDS = 20
PAUSE = 0.5


class Unit(Protocol):
    """What a transaction has that a column is sealed anew in."""

    connection: AsyncConnection
    keys: KeyRing
    service: str

    def record(self, act: str, *, subject: tuple[str, str], details: Mapping[str, Any]) -> None:
        """Journal the act."""


class Tx(Protocol):
    """What a service's store opens."""

    @property
    def unit(self) -> Unit: ...


type Begin = Callable[[], AbstractAsyncContextManager[Tx]]


async def reseal(begin: Begin, columns: Iterable[Sealed], say: Callable[[str], object], *, batch: int = BATCH) -> int:
    """Seal every column anew in small transactions; tell how many values could not be."""
    remaining = 0
    for sealed in columns:
        remaining += await _column(begin, sealed, say, batch)
    say(f"{remaining} values still lie under a retired key" if remaining else "everything lies under the current key")
    return remaining


async def _column(begin: Begin, sealed: Sealed, say: Callable[[str], object], batch: int) -> int:
    done = remaining = 0
    for _ in range(ROUNDS):
        taken, broken = await _round(begin, sealed, batch)
        done += taken - broken
        async with begin() as tx:
            remaining = await left(tx.unit.connection, tx.unit.keys, sealed)
        say(f"{sealed.name}: {done} sealed anew, {remaining} left")
        if remaining <= broken:
            break
        # somebody works on the others just now
        await asyncio.sleep(PAUSE)
    return remaining


async def _round(begin: Begin, sealed: Sealed, size: int) -> tuple[int, int]:
    taken = broken = 0
    after = None
    while True:
        async with begin() as tx:
            done = await step(tx.unit.connection, tx.unit.keys, sealed, after, size)
            if done.taken > done.broken:
                details = {"values": done.taken - done.broken}
                tx.unit.record(f"{tx.unit.service}.reseal", subject=("column", sealed.name), details=details)
        if done.last is None:
            return taken, broken
        taken, broken, after = taken + done.taken, broken + done.broken, done.last
