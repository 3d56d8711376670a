"""Every sealed column, and how it is sealed anew under the current key (换钥) while people go on working."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.crypto import SealBroken, key_id
from common.transaction import Transaction
from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    update,
)

from accounts.models import accounts, employees, guardianships, persons

# the plumbing's table: what was answered to whom, for a repetition
_ANSWERS = Table(
    "idempotency",
    MetaData(),
    *(Column(name, Text) for name in ("caller", "route", "key")),
    Column("answer", LargeBinary),
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed column: its row is found by `key`; its values are bound to their place, as they were sealed."""

    table: Table
    column: str
    key: tuple[str, ...]
    bound: str

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step did: how many it took, which cannot be opened by any key, and where the next one begins."""

    taken: int
    broken: int
    last: Sequence[Any] | None


SEALED = (
    Sealed(persons, "name", ("person_id",), "persons.name:{0}"),
    Sealed(persons, "id_number", ("person_id",), "persons.id_number:{0}"),
    Sealed(persons, "phone", ("person_id",), "persons.phone:{0}"),
    Sealed(employees, "name", ("employee_id",), "employees.name:{0}"),
    Sealed(guardianships, "proof", ("guardianship_id",), "guardianships.proof:{0}"),
    Sealed(accounts, "reason", ("account_id",), "accounts.reason:{0}"),
    Sealed(_ANSWERS, "answer", ("caller", "route", "key"), "idempotency:{0}:{1}:{2}"),
)


class Sealing:
    """Seals anew what lies under a retired key. A row that somebody else works on is left for the next round."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit
        current = key_id(unit.keys.seal(b"", bound=""))
        self._header = unit.keys.seal(b"", bound="")[: 2 + len(current.encode())]

    async def step(self, sealed: Sealed, after: Sequence[Any] | None, size: int) -> Batch:
        """Take the next rows beyond `after`. Their versions stay: nothing of what they say is changed."""
        columns = sealed.table.c
        key = [columns[name] for name in sealed.key]
        query = select(*key, columns[sealed.column]).where(self._is_old(sealed)).order_by(*key).limit(size)
        if after is not None:
            beyond = (literal(part, column.type) for part, column in zip(after, key, strict=True))
            query = query.where(tuple_(*key) > tuple_(*beyond))
        rows = (await self._unit.connection.execute(query.with_for_update(skip_locked=True))).all()
        anew = [each for row in rows if (each := self._anew(sealed, row)) is not None]
        if anew:
            mine = [column == bindparam(f"at_{column.name}") for column in key]
            await self._unit.connection.execute(
                update(sealed.table).where(*mine).values({sealed.column: bindparam("anew")}), anew
            )
        return Batch(len(rows), len(rows) - len(anew), rows[-1][:-1] if rows else None)

    async def left(self, sealed: Sealed) -> int:
        """How many values still lie under a retired key."""
        query = select(func.count()).select_from(sealed.table).where(self._is_old(sealed))
        return (await self._unit.connection.execute(query)).scalar_one()

    def _is_old(self, sealed: Sealed) -> ColumnElement[bool]:
        column = sealed.table.c[sealed.column]
        return column.is_not(None) & (func.substring(column, 1, len(self._header)) != self._header)

    def _anew(self, sealed: Sealed, row: Sequence[Any]) -> dict[str, Any] | None:
        *key, value = row
        bound = sealed.bound.format(*key)
        try:
            opened = self._unit.keys.open(value, bound=bound)
        except SealBroken:
            return None
        at = {f"at_{name}": part for name, part in zip(sealed.key, key, strict=True)}
        return {**at, "anew": self._unit.keys.seal(opened, bound=bound)}
