"""Databases and streams for one contender, empty at its start."""

import os

import asyncpg
import nats
from common import db, process
from nats.js.errors import NotFoundError

PREFIX = "bench_"
# the consumers that the story of a newborn needs
NEEDED = {
    *("workbench-open_todo", "workbench-schedule_todo", "workbench-finish_todo"),
    *("workbench-tell_submitted", "workbench-tell_closed"),
    *("orchestration-propose_after_approval", "orchestration-propose_after_licence"),
}


def url(name: str, scheme: str = "postgresql") -> str:
    admin = os.environ["TONGBAN_POSTGRES_ADMIN_URL"]
    return f"{scheme}{admin.removeprefix('postgresql').rpartition('/')[0]}/{PREFIX}{name}"


async def empty(name: str) -> str:
    """Make a database anew; gives its address."""
    connection = await asyncpg.connect(os.environ["TONGBAN_POSTGRES_ADMIN_URL"])
    try:
        await connection.execute(f"drop database if exists {PREFIX}{name} with (force)")
        await connection.execute(f"create database {PREFIX}{name}")
    finally:
        await connection.close()
    return url(name)


async def database(service: str) -> str:
    """Make a service's database anew, with its tables."""
    await empty(service)
    address = url(service, "postgresql+asyncpg")
    await db.migrate(address, process.migrations(service), service)
    return address


async def rows(service: str) -> dict[str, int]:
    """How many rows each table holds; partitions count for their table."""
    connection = await asyncpg.connect(url(service))
    try:
        tables = await connection.fetch(
            "select relname from pg_class where relkind in ('r', 'p') and not relispartition"
            " and relnamespace = 'public'::regnamespace"
        )
        counted = {
            each["relname"]: await connection.fetchval(f'select count(*) from "{each["relname"]}"') for each in tables
        }
    finally:
        await connection.close()
    return {f"{service}.{name}": count for name, count in counted.items()}


async def forget_streams() -> None:
    client = await nats.connect(os.environ["TONGBAN_NATS_URL"])
    try:
        for stream in ("EVT_ORCHESTRATION", "EVT_WORKBENCH", "EVT_ACCOUNTS", "EVT_VERIFICATION"):
            try:
                await client.jetstream().delete_stream(stream)
            except NotFoundError:
                continue
    finally:
        await client.close()


async def consumed(stream: str) -> bool:
    """Whether every consumer of a stream, none of those needed missing, has acknowledged everything."""
    client = await nats.connect(os.environ["TONGBAN_NATS_URL"])
    try:
        found = await client.jetstream().consumers_info(stream)
    except NotFoundError:
        return False
    finally:
        await client.close()
    return {each.name for each in found} >= NEEDED and all(
        not each.num_pending and not each.num_ack_pending for each in found
    )


async def filters(stream: str, durables: list[str]) -> dict[str, str]:
    """Which subjects each of these consumers listens to."""
    client = await nats.connect(os.environ["TONGBAN_NATS_URL"])
    try:
        found = await client.jetstream().consumers_info(stream)
    finally:
        await client.close()
    return {each.name: each.config.filter_subject for each in found if each.name in durables}
