"""No partial effect: what a refused call is found to have left behind, by its trace."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import httpx

from attack.settings import SERVICES, Settings

type Databases = Mapping[str, asyncpg.Connection[asyncpg.Record]]

LEFT = {
    # that somebody's right to act was looked at is written down whatever comes of it
    "journal": "select trace_id, act from journal where trace_id = any($1::text[]) and act <> 'accounts.check_agent'",
    "outbox": "select substring(headers ->> 'traceparent' from 4 for 32) as trace_id, type from outbox"
    " where substring(headers ->> 'traceparent' from 4 for 32) = any($1::text[])",
}


@asynccontextmanager
async def opened(settings: Settings, names: Sequence[str] = SERVICES) -> AsyncIterator[Databases]:
    """A connection to each database."""
    async with AsyncExitStack() as stack:
        found = {}
        for name in names:
            found[name] = await asyncpg.connect(settings.databases[name])
            stack.push_async_callback(found[name].close)
        yield found


async def left_by(databases: Databases, refused: Sequence[str]) -> list[str]:
    """What lies in journals and outboxes under the traces of calls that were refused."""
    return [
        f"{name}.{table}: trace {row[0]} left {row[1]}"
        for name, database in databases.items()
        for table, query in LEFT.items()
        for row in await database.fetch(query, list(refused))
    ]


async def began(ports: Mapping[str, int]) -> dict[str, str]:
    """When each service's process was started: another moment later on is another process."""
    found = {}
    async with httpx.AsyncClient(trust_env=False) as http:
        for name, port in ports.items():
            page = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
            lines = [line for line in page.splitlines() if line.startswith("process_start_time_seconds ")]
            found[name] = lines[0].partition(" ")[2]
    return found
