"""The statement that every act begins with: the filing of a case in the actor's sight, locked with all its cases.

It is composed once for each who acts, then sent on the driver: SQLAlchemy needs longer to tell that it knows a
statement of this size than PostgreSQL to carry it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import asyncpg
from common import db
from common.auth import Actor, Call
from sqlalchemy import DateTime, bindparam, select
from sqlalchemy import case as when
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestration.store.agents import in_sight
from orchestration.store.rows import CASE_COLUMNS, CASES, FILING_COLUMNS, FILINGS
from orchestration.store.watches import alarms_column

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_ASKED = CASES.alias("asked")
_ASKED_CASE = bindparam("asked_case", type_=CASES.c.id.type, required=False)
# What is large is read in the row of the asked case alone, not with each sibling.
_LOCK = (
    select(
        *FILING_COLUMNS,
        FILINGS.c.matter_name,
        *(
            when((CASES.c.id == _ASKED_CASE, column)).label(column.name)
            for column in (FILINGS.c.content, FILINGS.c.plan)
        ),
        *CASE_COLUMNS,
        alarms_column(_ASKED_CASE, bindparam("asked_at", type_=DateTime(timezone=True), required=False)),
    )
    .join(CASES, CASES.c.filing_id == FILINGS.c.id)
    .order_by(CASES.c.id)
    .with_for_update(of=[FILINGS, CASES])
)


class Row(asyncpg.Record):  # type: ignore[misc] # the driver has no types
    """A row as the driver gives it, read like those of SQLAlchemy."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


async def lock_by_case(connection: AsyncConnection, case_id: str, actor: Actor, at: datetime) -> Sequence[Any]:
    """Lock and give the rows of a filing's cases; none if the actor does not see the case."""
    # Whoever asks again from the same place sees the same: neither the call nor the proof of it matters, nor is kept.
    text, names, sight = _spelled(replace(actor, token="", client="", session="", acr=0, call=_ANY, proven_ago=0))
    asked = {**sight, "asked_case": case_id, "asked_at": at}
    driver = await db.driver(connection)
    rows: list[Row] = await driver.fetch(text, *(asked[name] for name in names), record_class=Row)
    return rows


_ANY = Call("")


@lru_cache(maxsize=1024)
def _spelled(actor: Actor) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    """Spell the statement for all that the actor asks for: its text, its parameters in order, and what they hold."""
    columns = {"matter": _ASKED.c.matter_code, "region": _ASKED.c.region_code, "org": _ASKED.c.org_path}
    wanted = select(_ASKED.c.filing_id).where(
        _ASKED.c.id == _ASKED_CASE, in_sight(actor, owner=_ASKED.c.applicant_id, **columns)
    )
    statement = _LOCK.where(FILINGS.c.id == wanted.scalar_subquery())
    compiled: Any = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), tuple(compiled.positiontup), compiled.params
