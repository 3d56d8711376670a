"""Who did what to whose data, why and when: written with the act, read by the one it concerns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import orjson
from sqlalchemy import Column, DateTime, MetaData, String, Table, Uuid, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from common import paging
from common.errors import Invalid
from common.paging import Page

_PURPOSE = re.compile(r"[^\x00-\x1f\x7f]{1,200}")

TABLES_1 = (
    """
    create table journal (
        id uuid primary key,
        at timestamptz not null,
        act text not null,
        actor_kind text not null,
        actor_id text not null,
        post_id text,
        org_path text,
        subject_kind text not null,
        subject_id text not null,
        owner_id text,
        purpose text,
        trace_id text not null,
        details jsonb not null
    )
    """,
    "create index journal_owner on journal (owner_id, at desc, id desc) where owner_id is not null",
    "create index journal_subject on journal (subject_kind, subject_id, at desc, id desc)",
)

COLUMNS = (
    "id", "at", "act", "actor_kind", "actor_id", "post_id", "org_path",
    "subject_kind", "subject_id", "owner_id", "purpose", "trace_id", "details",
)  # fmt: skip

# The rows of a flush, as one member of its common table expression.
INSERT = """insert into journal (id, at, act, actor_kind, actor_id, post_id, org_path,
 subject_kind, subject_id, owner_id, purpose, trace_id, details)
select u.id, {at}, u.act, {actor_kind}, {actor_id}, {post_id}, {org_path},
 u.subject_kind, u.subject_id, u.owner_id, u.purpose, u.trace_id, u.details
from unnest({ids}::uuid[], {acts}::text[], {subject_kinds}::text[], {subject_ids}::text[], {owners}::text[],
 {purposes}::text[], {trace_ids}::text[], {details}::jsonb[])
as u (id, act, subject_kind, subject_id, owner_id, purpose, trace_id, details)"""

_KINDS: dict[str, Any] = {"id": Uuid(), "at": DateTime(timezone=True), "details": JSONB()}
_journal = Table("journal", MetaData(), *(Column(name, _KINDS.get(name, String())) for name in COLUMNS))


class PurposeInvalid(Invalid):
    """X-Purpose is not 1 to 200 characters of percent-encoded text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act."""

    id: UUID
    at: datetime
    act: str
    actor_kind: str
    actor_id: str
    post_id: str | None
    org_path: str | None
    subject_kind: str
    subject_id: str
    owner_id: str | None
    purpose: str | None
    trace_id: str
    details: Mapping[str, Any]


def purpose_of(sent: str | None) -> str | None:
    """Read the purpose that came with a call, at whichever door."""
    if not sent:
        return None
    try:
        purpose = unquote(sent, errors="strict").strip()
    except UnicodeDecodeError as error:
        raise PurposeInvalid from error
    if not _PURPOSE.fullmatch(purpose):
        raise PurposeInvalid
    return purpose


async def read(
    connection: AsyncConnection,
    *,
    owner: str | None = None,
    subject: tuple[str, str] | None = None,
    acts: tuple[str, ...] = (),
    cursor: str | None = None,
    size: int = paging.DEFAULT_SIZE,
) -> Page[Entry]:
    """List acts on a citizen's data or on one subject, newest first; who may ask is the caller's question."""
    if owner is None and subject is None:
        raise ValueError("whose acts, or on what?")
    query = select(_journal).order_by(_journal.c.at.desc(), _journal.c.id.desc()).limit(size + 1)
    if owner is not None:
        query = query.where(_journal.c.owner_id == owner)
    if subject is not None:
        query = query.where(_journal.c.subject_kind == subject[0], _journal.c.subject_id == subject[1])
    if acts:
        query = query.where(_journal.c.act.in_(acts))
    if cursor is not None:
        at, last = paging.decode(cursor, datetime, UUID)
        query = query.where(tuple_(_journal.c.at, _journal.c.id) < tuple_(at, last))
    rows = (await connection.execute(query)).all()
    return paging.cut([Entry(*row) for row in rows], size, lambda entry: (entry.at, entry.id))


def written(details: Mapping[str, Any]) -> str:
    """Spell the details of an act."""
    return orjson.dumps(details).decode()
