"""A sealed column, and one step of sealing its values anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sealing.keys import KeyRing, SealBroken


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed column. Its values are bound to their place: to table, column and primary key, or as `bound` says."""

    table: Table
    column: str
    bound: str = ""

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column}"

    def bound_to(self, key: Sequence[Any]) -> str:
        """Say what a row's value was sealed with."""
        return self.bound.format(*key) if self.bound else ":".join((self.name, *map(str, key)))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step did: how many it took, which cannot be opened by any key, and where the next one begins."""

    taken: int
    broken: int
    last: Sequence[Any] | None


async def step(
    connection: AsyncConnection, keys: KeyRing, sealed: Sealed, after: Sequence[Any] | None, size: int
) -> Batch:
    """Seal the next rows beyond `after` anew. A row that somebody else works on is left for the next round.

    Versions of rows stay: nothing of what they say is changed.
    """
    key = list(sealed.table.primary_key.columns)
    query = select(*key, sealed.table.c[sealed.column]).where(_is_old(keys, sealed)).order_by(*key).limit(size)
    if after is not None:
        beyond = (literal(part, column.type) for part, column in zip(after, key, strict=True))
        query = query.where(tuple_(*key) > tuple_(*beyond))
    rows = (await connection.execute(query.with_for_update(skip_locked=True))).all()
    anew = [each for row in rows if (each := _anew(keys, sealed, row)) is not None]
    if anew:
        mine = [column == bindparam(f"at_{place}") for place, column in enumerate(key)]
        await connection.execute(update(sealed.table).where(*mine).values({sealed.column: bindparam("anew")}), anew)
    return Batch(len(rows), len(rows) - len(anew), rows[-1][:-1] if rows else None)


async def left(connection: AsyncConnection, keys: KeyRing, sealed: Sealed) -> int:
    """Count the values that still lie under a retired key."""
    query = select(func.count()).select_from(sealed.table).where(_is_old(keys, sealed))
    return (await connection.execute(query)).scalar_one()


def _is_old(keys: KeyRing, sealed: Sealed) -> ColumnElement[bool]:
    """Say which values another key has sealed; what is empty, or NULL, is sealed by none."""
    column = sealed.table.c[sealed.column]
    return (func.octet_length(column) > 0) & (func.substring(column, 1, len(keys.header)) != keys.header)


def _anew(keys: KeyRing, sealed: Sealed, row: Sequence[Any]) -> dict[str, Any] | None:
    *key, value = row
    bound = sealed.bound_to(key)
    try:
        opened = keys.open(value, bound=bound)
    except SealBroken:
        return None
    return {**{f"at_{place}": part for place, part in enumerate(key)}, "anew": keys.seal(opened, bound=bound)}
