"""So many filings of years gone by, written through COPY: what a grown city's database holds.

Taken from a filing that really went its way: its rows in the tables of orchestration and workbench are copied with an
applicant, ids, numbers and days of their own. Sealed columns and the plan are cut short, as nothing reads them here:
what a list, a lock or an index has to pass by is all there.
"""

import argparse
import asyncio
import io
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SERIAL = "@@SERIAL@@"
_CASES = "(select id from cases where filing_id = $1::text::uuid)"
# filings come first: others stand on them
_ORCHESTRATION = {
    "filings": "id = $1::text::uuid",
    "cases": "filing_id = $1::text::uuid",
    "timers": "filing_id = $1::text::uuid",
    "calls": "filing_id = $1::text::uuid",
    "documents": "filing_id = $1::text::uuid",
    "deliveries": "filing_id = $1::text::uuid",
    "evidence_watches": f"case_id in {_CASES}",
    "journal": "details ->> 'filing_id' = $1::text or subject_id = $1::text",
}
_OF_MESSAGE = "message_id in (select message_id from messages where split_part(source_id, ':', 1) = any($1::text[]))"
_WORKBENCH = {
    "todos": "source_id = any($1::text[])",
    "messages": "split_part(source_id, ':', 1) = any($1::text[])",
    "deliveries": _OF_MESSAGE,
    "receipts": _OF_MESSAGE,
}
_CHUNK = 2_000
# what many filings share
_SHARED = """
select org_id from cases where filing_id = $1
union select actor_id from journal where actor_kind <> 'citizen' and details ->> 'filing_id' = $1::text
union select post_id from journal where details ->> 'filing_id' = $1::text"""


@dataclass(frozen=True, slots=True)
class Template:
    """One table's rows of the filing that is copied, as COPY writes them, with a place for each id."""

    table: str
    columns: list[str]
    text: str
    places: list[int]


class Originals:
    """The ids of the filing that is copied, numbered as they are met."""

    def __init__(self, shared: frozenset[str]) -> None:
        self._shared = shared
        self._numbers: dict[str, int] = {}

    @property
    def count(self) -> int:
        return len(self._numbers)

    def template(self, table: str, columns: list[str], copied: str) -> Template:
        places: list[int] = []

        def place(found: re.Match[str]) -> str:
            if found[0] in self._shared:
                return found[0]
            places.append(self._numbers.setdefault(found[0], len(self._numbers)))
            return "%s"

        return Template(table, columns, _UUID.sub(place, copied.replace("%", "%%")), places)


async def seed(filing_id: str, count: int, *, orchestration: str, workbench: str) -> float:
    """Copy the filing; gives how long it took."""
    begun = time.perf_counter()
    own, desk = await asyncpg.connect(orchestration), await asyncpg.connect(workbench)
    try:
        for connection in (own, desk):
            await connection.execute("set synchronous_commit = off")
        found = await own.fetch("select id from cases where filing_id = $1", UUID(filing_id))
        told = [filing_id, *(str(row["id"]) for row in found)]
        shared = frozenset(row[0] for row in await own.fetch(_SHARED, UUID(filing_id)) if row[0])
        for first in range(0, count, _CHUNK):
            days = 10 + 1000 * first // count
            originals = Originals(shared)
            plans = [
                (own, await _templates(own, _ORCHESTRATION, filing_id, originals, days)),
                (desk, await _templates(desk, _WORKBENCH, told, originals, days)),
            ]
            serials = range(first, min(first + _CHUNK, count))
            ids = [[str(uuid7()) for _ in range(originals.count)] for _ in serials]
            await asyncio.gather(*(_write(connection, templates, serials, ids) for connection, templates in plans))
        for connection in (own, desk):
            await connection.execute("analyze", timeout=300)
    finally:
        await own.close()
        await desk.close()
    return time.perf_counter() - begun


async def _write(
    connection: "asyncpg.Connection[asyncpg.Record]",
    templates: list[Template],
    serials: range,
    ids: list[list[str]],
) -> None:
    async with connection.transaction():
        for each in templates:
            await connection.copy_to_table(
                each.table, source=_rows(each, serials, ids), columns=each.columns, timeout=300
            )


async def _rows(template: Template, serials: range, ids: list[list[str]]) -> AsyncIterator[bytes]:
    text, places = template.text, template.places
    for serial, own in zip(serials, ids, strict=True):
        filled = text % tuple([own[place] for place in places])
        yield filled.replace(_SERIAL, f"-{serial}").encode()


async def _templates(
    connection: "asyncpg.Connection[asyncpg.Record]",
    tables: dict[str, str],
    asked: object,
    originals: Originals,
    days: int,
) -> list[Template]:
    templates = []
    for table, where in tables.items():
        columns = await connection.fetch(
            "select attname, format_type(atttypid, null) as kind from pg_attribute where attrelid = $1::regclass"
            " and attnum > 0 and not attisdropped and attgenerated = '' order by attnum",
            table,
        )
        chosen = ", ".join(_chosen(row["attname"], row["kind"], days) for row in columns)
        copied = io.BytesIO()
        await connection.copy_from_query(f"select {chosen} from {table} where {where}", asked, output=copied)
        if copied.getvalue():
            names = [row["attname"] for row in columns]
            templates.append(originals.template(table, names, copied.getvalue().decode()))
    return templates


def _chosen(name: str, kind: str, days: int) -> str:
    if name == "no":
        return f"no || '{_SERIAL}'"
    if name == "plan":
        return "null::jsonb"
    if kind == "bytea":
        return f"substring({name} for 64)"
    if kind == "timestamp with time zone":
        return f"{name} - interval '{days} days'"
    return f'"{name}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("filing", help="one that is closed")
    parser.add_argument("--filings", type=int, default=100_000)
    arguments = parser.parse_args()
    took = asyncio.run(seed(arguments.filing, arguments.filings, **databases()))
    print(f"{arguments.filings} filings in {took:.0f} s")


def databases() -> dict[str, str]:
    return {
        name: os.environ[f"{name.upper()}_DATABASE_URL"].replace("+asyncpg", "")
        for name in ("orchestration", "workbench")
    }


if __name__ == "__main__":
    main()
