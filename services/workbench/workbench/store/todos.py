"""Todos, as the actor may see them."""

from asyncio import Event
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from common import db
from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import Boolean, ColumnElement, RowMapping, exists, literal_column, select, text

from workbench.domain.todo import (
    Claim,
    Deadlines,
    Description,
    Kind,
    Return,
    Stage,
    State,
    Todo,
    TodoNotFound,
    Waiting,
)
from workbench.domain.todo_list import Counts, LineCounts, Search
from workbench.models import todos
from workbench.store.todo_list import LONG_AGO, after, count_of, counted_at, looked_for, outside_of, page_of, seen_by

# The row of a task, made if it is not there, and locked: consumers of different facts meet at the same task. What is
# there already is only locked: nothing is written for that.
HOLD = """
    WITH found AS (SELECT * FROM todos WHERE source = $2 AND source_id = $3 FOR UPDATE),
    made AS (
        INSERT INTO todos (todo_id, source, source_id, version, stage, state, revision, described_version, due_version,
            waiting_version, kind, matter_code, item_code)
        SELECT $1::uuid, $2, $3, 0, 'ready', 'open', 0, 0, 0, 0, 'case', '', '' WHERE NOT EXISTS (SELECT FROM found)
        ON CONFLICT (source, source_id) DO UPDATE SET source = EXCLUDED.source
        RETURNING *)
    SELECT * FROM found UNION ALL SELECT * FROM made
"""
# Everything an absent post holds, given back at once; what waits for its applicant waits on.
GIVE_BACK = text("""
    UPDATE todos SET state = CASE state WHEN 'waiting' THEN state ELSE 'open' END, revision = revision + 1,
        returned_by = claimed_post_title, returned_at = :at, return_reason = NULL,
        claimed_post_id = NULL, claimed_post_title = NULL, claimed_at = NULL
    WHERE claimed_post_id = :post_id AND state IN ('claimed', 'waiting')
    RETURNING *
""")
# Todos whose officer is to be reminded; another replica takes others.
TAKE_DUE = text("""
    UPDATE todos SET reminded_at = :at WHERE todo_id IN (
        SELECT todo_id FROM todos WHERE remind_at <= :at AND reminded_at IS NULL AND state <> 'done'
            AND state <> 'waiting' AND org_path IS NOT NULL
        ORDER BY remind_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING *
""")
# As text: an index of what is pending serves a statement only if that says so itself, whatever its values are.
_PENDING = literal_column("todos.state <> 'done'", Boolean())

_LISTS = ("open", "claimed", "waiting", "done", "yellow", "red")


class Todos:
    """The todo list as the actor may see it."""

    def __init__(self, unit: Transaction, stirred: Event) -> None:
        self._unit = unit
        self._stirred = stirred

    async def hold(self, source: str, source_id: str) -> Todo:
        """Load the todo of a source's task, to change it; of a task never heard of, an empty one."""
        driver = await db.driver(self._unit.connection)
        return self._todo(await driver.fetchrow(HOLD, self._unit.ids(), source, source_id))

    async def get(self, todo_id: UUID) -> Todo:
        """Load one todo that the actor may see."""
        statement = select(todos).where(todos.c.todo_id == todo_id, self._mine())
        return self._found((await self._unit.connection.execute(statement)).mappings().one_or_none(), todo_id)

    async def find(self, source: str, source_id: str) -> Todo | None:
        """Load the todo of a source's task, whoever asks: for a rule, not for a reader."""
        statement = select(todos).where(todos.c.source == source, todos.c.source_id == source_id)
        row = (await self._unit.connection.execute(statement)).mappings().one_or_none()
        return None if row is None else self._todo(row)

    async def lock(self, todo_id: UUID) -> Todo:
        """Load one todo that the actor may see, to change it."""
        statement = select(todos).where(todos.c.todo_id == todo_id, self._mine()).with_for_update()
        return self._found((await self._unit.connection.execute(statement)).mappings().one_or_none(), todo_id)

    async def page(self, search: Search, *, cursor: str | None, size: int) -> Page[Todo]:
        """List todos: the overdue first, then what is due first."""
        # Told by the moment the first page was asked at: a page does not miss what becomes overdue meanwhile.
        first = (self._unit.at, 0, LONG_AGO, UUID(int=0))
        place: Any = decode(cursor, datetime, int, datetime, UUID) if cursor else first
        at, *last = place
        # What is done, or waits for its applicant, is not overdue.
        now = LONG_AGO if search.state in {State.DONE, State.WAITING} else at
        wanted = looked_for(search, self._unit.at)
        actor, line = self._unit.actor, search.line
        driver = await db.driver(self._unit.connection)
        rows = await driver.fetch(
            page_of(size + 1, search.state, tuple(wanted), line=line),
            *(*seen_by(actor, line=line), now, *after(*last), *outside_of(actor, line=line), *wanted.values()),
        )
        page = cut(rows, size, lambda row: (at, row["rank"], row["sort_at"], row["todo_id"]))
        return Page([self._todo(row) for row in page.items], page.next_cursor)

    async def count(self, post_id: str | None) -> Counts:
        """Count the todos by state and colour, those that a post has in hand, and those below along the line."""
        own = await self._counted(post_id, line=False)
        actor = self._unit.actor
        below = await self._counted(None, line=True) if actor.post and actor.post.line_paths else None
        return Counts(**own, line=LineCounts(**{each: below[each] for each in _LISTS}) if below else None)

    async def _counted(self, post_id: str | None, *, line: bool) -> dict[str, int]:
        actor = self._unit.actor
        told = (*seen_by(actor, line=line), *counted_at(self._unit.at, post_id), *outside_of(actor, line=line))
        driver = await db.driver(self._unit.connection)
        return dict(await driver.fetchrow(count_of(line=line), *told))

    async def give_back(self, post_id: str) -> list[Todo]:
        """Open again all that a post has claimed."""
        self._stirred.set()
        rows = await self._unit.connection.execute(GIVE_BACK, {"post_id": post_id, "at": self._unit.at})
        return [self._todo(row) for row in rows.mappings()]

    async def claimers(self) -> list[str]:
        """Name every post that has a todo in hand."""
        statement = select(todos.c.claimed_post_id).where(_in_hand()).distinct()
        return list(await self._unit.connection.scalars(statement.order_by(todos.c.claimed_post_id)))

    async def is_claimer(self, post_id: str) -> bool:
        """Say whether a post has a todo in hand."""
        statement = select(exists().where(todos.c.claimed_post_id == post_id, _in_hand()))
        return bool((await self._unit.connection.execute(statement)).scalar_one())

    async def lock_claimed(self, post_id: str) -> list[Todo]:
        """Load what a post has in hand, to change it."""
        statement = select(todos).where(todos.c.claimed_post_id == post_id, _in_hand())
        rows = await self._unit.connection.execute(statement.order_by(todos.c.todo_id).with_for_update())
        return [self._todo(row) for row in rows.mappings()]

    async def waiting_bodies(self, since: datetime) -> list[UUID]:
        """Name the organisations with a todo that nobody has claimed since a moment."""
        statement = select(todos.c.org_id).where(_unclaimed(since)).distinct()
        return list(await self._unit.connection.scalars(statement.order_by(todos.c.org_id)))

    async def unclaimed(self, org_id: UUID, since: datetime) -> list[Todo]:
        """Load what nobody has claimed in an organisation since a moment."""
        statement = select(todos).where(todos.c.org_id == org_id, _unclaimed(since)).order_by(todos.c.todo_id)
        rows = await self._unit.connection.execute(statement)
        return [self._todo(row) for row in rows.mappings()]

    async def take_due(self, most: int) -> list[Todo]:
        """Take todos whose officer is to be reminded now; each is given once."""
        rows = await self._unit.connection.execute(TAKE_DUE, {"at": self._unit.at, "most": most})
        return [self._todo(row) for row in rows.mappings()]

    async def save(self, todo: Todo) -> None:
        """Keep a todo that was held or locked before; at once, so that the next fact of a batch sees it."""
        self._stirred.set()
        what, due, claim, returned = todo.description, todo.deadlines, todo.claim, todo.returned
        waiting = todo.waiting
        values = {
            "version": todo.version,
            "stage": todo.stage,
            "state": todo.state,
            "revision": todo.revision,
            "described_version": todo.described_version,
            "title": what and what.title,
            "org_id": what and what.org_id,
            "org_path": what and what.org_path,
            "region_code": what and what.region_code,
            "ready_at": what and what.ready_at,
            "kind": what.kind if what else Kind.CASE,
            "matter_code": what.matter_code if what else "",
            "item_code": what.item_code if what else "",
            "due_version": todo.due_version,
            "promised_due_at": due and due.promised,
            "statutory_due_at": due and due.statutory,
            "yellow_at": due and due.yellow_at,
            "remind_at": due and due.remind_at,
            "waiting_version": todo.waiting_version,
            "waiting_since": waiting and waiting.since,
            "waiting_until": waiting and waiting.until,
            "done_at": todo.done_at,
            "claimed_post_id": claim and claim.post_id,
            "claimed_post_title": claim and claim.post_title,
            "claimed_at": claim and claim.claimed_at,
            "return_reason": returned
            and self._unit.keys.seal(returned.reason.encode(), bound=_reason_of(todo.todo_id)),
            "returned_by": returned and returned.post_title,
            "returned_at": returned and returned.returned_at,
        }
        driver = await db.driver(self._unit.connection)
        await driver.execute(_saving(tuple(values)), todo.todo_id, *values.values())

    def _mine(self) -> ColumnElement[bool]:
        # A todo not yet described belongs to nobody: without an organisation no scope holds it.
        return visible(self._unit.actor, region=todos.c.region_code, org=todos.c.org_path) & todos.c.org_path.is_not(
            None
        )

    def _found(self, row: RowMapping | None, todo_id: UUID) -> Todo:
        if row is None:
            raise TodoNotFound(todo_id=str(todo_id))
        return self._todo(row)

    def _todo(self, row: Any) -> Todo:
        what = (
            row["title"],
            row["org_id"],
            row["org_path"],
            row["region_code"],
            row["ready_at"],
            row["matter_code"],
            row["item_code"],
        )
        due = (row["promised_due_at"], row["statutory_due_at"], row["yellow_at"], row["remind_at"])
        return Todo(
            todo_id=row["todo_id"],
            source=row["source"],
            source_id=row["source_id"],
            version=row["version"],
            stage=Stage(row["stage"]),
            revision=row["revision"],
            described_version=row["described_version"],
            description=Description(*what, kind=Kind(row["kind"])) if row["described_version"] else None,
            due_version=row["due_version"],
            deadlines=Deadlines(*due) if row["due_version"] else None,
            waiting_version=row["waiting_version"],
            waiting=Waiting(row["waiting_since"], row["waiting_until"]) if row["waiting_since"] else None,
            done_at=row["done_at"],
            claim=Claim(row["claimed_post_id"], row["claimed_post_title"], row["claimed_at"])
            if row["claimed_post_id"]
            else None,
            returned=self._returned(row) if row["returned_at"] else None,
        )

    def _returned(self, row: Any) -> Return:
        sealed = row["return_reason"]
        reason = self._unit.keys.open(sealed, bound=_reason_of(row["todo_id"])).decode() if sealed else ""
        return Return(row["returned_by"], reason, row["returned_at"])


@cache
def _saving(names: tuple[str, ...]) -> str:
    told = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 2))
    return f"UPDATE todos SET {told} WHERE todo_id = $1"  # noqa: S608 - names of columns alone


def _in_hand() -> ColumnElement[bool]:
    return todos.c.claimed_post_id.is_not(None) & _PENDING


def _unclaimed(since: datetime) -> ColumnElement[bool]:
    return (todos.c.state == State.OPEN.value) & _PENDING & (todos.c.ready_at <= since) & todos.c.org_id.is_not(None)


def _reason_of(todo_id: UUID) -> str:
    return f"todos.return_reason:{todo_id}"
