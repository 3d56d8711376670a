"""Sealing everything anew after the data key was changed (换钥): as often as wanted, from where it was broken off."""

import asyncio
from collections.abc import Callable

from common.auth import system

from verification.store import Store
from verification.store.sealing import SEALED, Sealed

BATCH = 200
ROUNDS = 20
PAUSE = 0.5


async def reseal(store: Store, say: Callable[[str], object], *, batch: int = BATCH) -> int:
    """Seal every column anew in small steps; tell how many values could not be."""
    left = 0
    for sealed in SEALED:
        left += await _column(store, sealed, say, batch)
    say("everything lies under the current key" if not left else f"{left} values still lie under a retired key")
    return left


async def _column(store: Store, sealed: Sealed, say: Callable[[str], object], batch: int) -> int:
    done = left = 0
    for _ in range(ROUNDS):
        taken, broken = await _round(store, sealed, batch)
        done += taken - broken
        async with store.begin(system("verification", route="reseal")) as tx:
            left = await tx.sealing.left(sealed)
        say(f"{sealed.name}: {done} sealed anew, {left} left")
        if left <= broken:
            break
        # somebody works on the others just now
        await asyncio.sleep(PAUSE)
    return left


async def _round(store: Store, sealed: Sealed, size: int) -> tuple[int, int]:
    taken = broken = 0
    after = None
    while True:
        async with store.begin(system("verification", route="reseal")) as tx:
            step = await tx.sealing.step(sealed, after, size)
            if step.taken > step.broken:
                details = {"values": step.taken - step.broken}
                tx.unit.record("verification.reseal", subject=("column", sealed.name), details=details)
        if step.last is None:
            return taken, broken
        taken, broken, after = taken + step.taken, broken + step.broken, step.last
