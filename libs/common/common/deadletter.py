"""Facts that a consumer could not take: parked with the reason, replayed by command."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from common.auth import system
from common.inbox import Subscription
from common.telemetry import log, span

if TYPE_CHECKING:
    import asyncpg

TABLES_1 = (
    """
    create table dead_letters (
        consumer text not null,
        id uuid not null,
        subject text not null,
        type text not null,
        body bytea not null,
        headers jsonb not null,
        reason text not null,
        error text not null,
        deliveries integer not null,
        at timestamptz not null,
        replayed_at timestamptz,
        primary key (consumer, id)
    )
    """,
    "create index dead_letters_open on dead_letters (consumer, at, id) where replayed_at is null",
)
