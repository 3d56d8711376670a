"""Facts that a consumer could not take: parked with the reason, replayed by command."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from common.auth import system
from common.db import Database, driver
from common.errors import Refusal
from common.inbox import Subscription, Unreadable
from common.telemetry import log, span

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True)
class Parked:
    """One fact that waits for a person's decision."""

    consumer: str
    id: UUID
    type: str
    body: bytes
    headers: Mapping[str, str]
    reason: str
    error: str
    at: datetime


async def park(
    connection: "asyncpg.Connection[asyncpg.Record]",
    consumer: str,
    fact: UUID,
    *,
    subject: str,
    headers: Mapping[str, str],
    body: bytes,
    failure: Exception,
    deliveries: int,
    at: datetime,
) -> None:
    """Put a fact aside; parked again, the newest reason stands."""
    reason, error = described(failure)
    await connection.execute(
        "insert into dead_letters (consumer, id, subject, type, body, headers, reason, error, deliveries, at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (consumer, id) do update set "
        "reason = excluded.reason, error = excluded.error, deliveries = excluded.deliveries, at = excluded.at, "
        "replayed_at = null",
        consumer,
        fact,
        subject,
        headers.get("ce-type", ""),
        body,
        orjson.dumps(dict(headers)).decode(),
        reason,
        error,
        deliveries,
        at,
    )


async def waiting(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    """Count what waits for a person."""
    counted: int = await connection.fetchval("select count(*) from dead_letters where replayed_at is null")
    return counted


async def parked(database: Database, consumer: str | None = None, *, limit: int = 1000) -> list[Parked]:
    """List what waits, oldest first."""
    async with database.engine.connect() as connection:
        rows = await (await driver(connection)).fetch(
            "select consumer, id, type, body, headers, reason, error, at from dead_letters "
            "where replayed_at is null and ($1::text is null or consumer = $1) order by at, id limit $2",
            consumer,
            limit,
        )
    return [Parked(**dict(row)) for row in rows]


async def replay(
    database: Database, subscriptions: Iterable[Subscription], app: Any, store: Any, consumer: str | None = None
) -> int:
    """Hand what waits to its consumer once more and say how many were taken; the others stay parked."""
    known = {subscription.durable: subscription for subscription in subscriptions}
    taken = 0
    for letter in await parked(database, consumer):
        subscription = known.get(letter.consumer)
        if subscription is None:
            log.warning("deadletter.nobody_listens", consumer=letter.consumer, fact=str(letter.id))
            continue
        try:
            await _replay(subscription, letter, app, store)
        except Exception as error:  # noqa: BLE001 - one that fails must not keep the others back
            log.warning("deadletter.still_refused", consumer=letter.consumer, fact=str(letter.id), exc_info=error)
        else:
            taken += 1
    return taken


async def _replay(subscription: Subscription, letter: Parked, app: Any, store: Any) -> None:
    fact = subscription.read(letter.headers, letter.body)
    name = f"{subscription.service}.{subscription.name}"
    with span(name, parent=fact.traceparent):
        actor = system(subscription.service, route=name)
        async with store.begin(actor, once=[fact.id], consumer=subscription.durable) as tx:
            if fact.id in tx.unit.fresh:
                await subscription.handle(app, tx, fact)
            await (await driver(tx.unit.connection)).execute(
                "update dead_letters set replayed_at = $3 where consumer = $1 and id = $2",
                letter.consumer,
                letter.id,
                tx.unit.at,
            )


def described(failure: Exception) -> tuple[str, str]:
    """Say why, without the words of the exception: they may quote personal data."""
    if isinstance(failure, Refusal):
        return failure.reason, orjson.dumps(failure.data, default=str).decode()
    if isinstance(failure, Unreadable):
        return "UNREADABLE", str(failure)
    frames = extract_tb(failure.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return "FAILED", f"{type(failure).__name__} at {where}"
