"""Todos, as the actor may see them."""

from asyncio import Event
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, case, exists, func, literal, select, text, tuple_, update

from workbench.domain.todo import (
    Claim,
    Colour,
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

# The row of a task, made if it is not there, and locked: consumers of different facts meet at the same task.
HOLD = text("""
    INSERT INTO todos (todo_id, source, source_id, version, stage, state, revision, described_version, due_version,
        waiting_version, kind, matter_code, item_code)
    VALUES (:todo_id, :source, :source_id, 0, 'ready', 'open', 0, 0, 0, 0, 'case', '', '')
    ON CONFLICT (source, source_id) DO UPDATE SET source = EXCLUDED.source
    RETURNING *
""")
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


_LISTS = ("open", "claimed", "waiting", "done", "yellow", "red")


class Todos:
    """The todo list as the actor may see it."""

    def __init__(self, unit: Transaction, stirred: Event) -> None:
        self._unit = unit
        self._stirred = stirred

    async def hold(self, source: str, source_id: str) -> Todo:
        """Load the todo of a source's task, to change it; of a task never heard of, an empty one."""
        told = {"todo_id": self._unit.ids(), "source": source, "source_id": source_id}
        return self._todo((await self._unit.connection.execute(HOLD, told)).one())

    async def get(self, todo_id: UUID) -> Todo:
        """Load one todo that the actor may see."""
        statement = select(todos).where(todos.c.todo_id == todo_id, self._mine())
        return self._found((await self._unit.connection.execute(statement)).one_or_none(), todo_id)

    async def find(self, source: str, source_id: str) -> Todo | None:
        """Load the todo of a source's task, whoever asks: for a rule, not for a reader."""
        statement = select(todos).where(todos.c.source == source, todos.c.source_id == source_id)
        row = (await self._unit.connection.execute(statement)).one_or_none()
        return None if row is None else self._todo(row)

    async def lock(self, todo_id: UUID) -> Todo:
        """Load one todo that the actor may see, to change it."""
        statement = select(todos).where(todos.c.todo_id == todo_id, self._mine()).with_for_update()
        return self._found((await self._unit.connection.execute(statement)).one_or_none(), todo_id)

    async def page(self, search: Search, *, cursor: str | None, size: int) -> Page[Todo]:
        """List todos: the overdue first, then what is due first."""
        # Told by the moment the first page was asked at: a page does not miss what becomes overdue meanwhile.
        at, *after = decode(cursor, datetime, int, datetime, UUID) if cursor else (self._unit.at,)
        rank = case((todos.c.promised_due_at < at, 0), else_=1)
        order = (literal(1) if search.state in {State.DONE, State.WAITING} else rank, todos.c.sort_at, todos.c.todo_id)
        statement = (
            select(todos, order[0].label("rank"))
            .where(self._in_line() if search.line else self._mine(), *self._looked_for(search))
            .order_by(*order)
            .limit(size + 1)
        )
        if after:
            statement = statement.where(tuple_(*order) > tuple_(*after))
        rows = (await self._unit.connection.execute(statement)).all()
        page = cut(rows, size, lambda row: (at, row.rank, row.sort_at, row.todo_id))
        return Page([self._todo(row) for row in page.items], page.next_cursor)

    async def count(self, post_id: str | None) -> Counts:
        """Count the todos by state and colour, those that a post has in hand, and those below along the line."""
        own = await self._counted(post_id, self._mine())
        actor = self._unit.actor
        below = await self._counted(None, self._in_line()) if actor.post and actor.post.line_paths else None
        return Counts(**own, line=LineCounts(**{each: below[each] for each in _LISTS}) if below else None)

    async def _counted(self, post_id: str | None, seen: ColumnElement[bool]) -> dict[str, int]:
        in_hand = todos.c.state.in_((State.OPEN.value, State.CLAIMED.value))
        claimed = (todos.c.state == State.CLAIMED.value) & (todos.c.claimed_post_id == post_id)
        numbers = [
            func.count().filter(wanted).label(name)
            for name, wanted in {
                **{state.value: todos.c.state == state.value for state in State},
                "mine": claimed,
                "yellow": in_hand & self._coloured(Colour.YELLOW),
                "red": in_hand & self._coloured(Colour.RED),
            }.items()
        ]
        rows = await self._unit.connection.execute(select(*numbers).where(seen))
        return {name: int(number) for name, number in rows.mappings().one().items()}

    async def give_back(self, post_id: str) -> list[Todo]:
        """Open again all that a post has claimed."""
        self._stirred.set()
        rows = await self._unit.connection.execute(GIVE_BACK, {"post_id": post_id, "at": self._unit.at})
        return [self._todo(row) for row in rows]

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
        return [self._todo(row) for row in rows]

    async def waiting_bodies(self, since: datetime) -> list[UUID]:
        """Name the organisations with a todo that nobody has claimed since a moment."""
        statement = select(todos.c.org_id).where(_unclaimed(since)).distinct()
        return list(await self._unit.connection.scalars(statement.order_by(todos.c.org_id)))

    async def unclaimed(self, org_id: UUID, since: datetime) -> list[Todo]:
        """Load what nobody has claimed in an organisation since a moment."""
        statement = select(todos).where(todos.c.org_id == org_id, _unclaimed(since)).order_by(todos.c.todo_id)
        return [self._todo(row) for row in await self._unit.connection.execute(statement)]

    async def take_due(self, most: int) -> list[Todo]:
        """Take todos whose officer is to be reminded now; each is given once."""
        rows = await self._unit.connection.execute(TAKE_DUE, {"at": self._unit.at, "most": most})
        return [self._todo(row) for row in rows]

    async def save(self, todo: Todo) -> None:
        """Keep a todo that was held or locked before; at once, so that the next fact of a batch sees it."""
        self._stirred.set()
        what, due, claim, returned = todo.description, todo.deadlines, todo.claim, todo.returned
        waiting = todo.waiting
        statement = (
            update(todos)
            .where(todos.c.todo_id == todo.todo_id)
            .values(
                version=todo.version,
                stage=todo.stage.value,
                state=todo.state.value,
                revision=todo.revision,
                described_version=todo.described_version,
                title=what and what.title,
                org_id=what and what.org_id,
                org_path=what and what.org_path,
                region_code=what and what.region_code,
                ready_at=what and what.ready_at,
                kind=(what.kind if what else Kind.CASE).value,
                matter_code=what.matter_code if what else "",
                item_code=what.item_code if what else "",
                due_version=todo.due_version,
                promised_due_at=due and due.promised,
                statutory_due_at=due and due.statutory,
                yellow_at=due and due.yellow_at,
                remind_at=due and due.remind_at,
                waiting_version=todo.waiting_version,
                waiting_since=waiting and waiting.since,
                waiting_until=waiting and waiting.until,
                done_at=todo.done_at,
                claimed_post_id=claim and claim.post_id,
                claimed_post_title=claim and claim.post_title,
                claimed_at=claim and claim.claimed_at,
                return_reason=returned
                and self._unit.keys.seal(returned.reason.encode(), bound=_reason_of(todo.todo_id)),
                returned_by=returned and returned.post_title,
                returned_at=returned and returned.returned_at,
            )
        )
        await self._unit.connection.execute(statement)

    def _looked_for(self, search: Search) -> Iterator[ColumnElement[bool]]:
        yield todos.c.state == search.state.value
        if search.post_id is not None:
            yield todos.c.claimed_post_id == search.post_id
        if search.kind is not None:
            yield todos.c.kind == search.kind.value
        if search.matter_code is not None:
            yield todos.c.matter_code == search.matter_code
        if search.item_code is not None:
            yield todos.c.item_code == search.item_code
        if search.words is not None:
            yield todos.c.title.contains(search.words, autoescape=True)
        if search.colour is not None:
            yield self._coloured(search.colour)

    def _coloured(self, colour: Colour) -> ColumnElement[bool]:
        at, due, yellow_at = self._unit.at, todos.c.promised_due_at, todos.c.yellow_at
        match colour:
            case Colour.RED:
                return due < at
            case Colour.YELLOW:
                return (due >= at) & (yellow_at <= at)
            case Colour.GREEN:
                return due.is_(None) | ((due >= at) & (yellow_at > at))

    def _mine(self) -> ColumnElement[bool]:
        # A todo not yet described belongs to nobody: without an organisation no scope holds it.
        return visible(self._unit.actor, region=todos.c.region_code, org=todos.c.org_path) & todos.c.org_path.is_not(
            None
        )

    def _in_line(self) -> ColumnElement[bool]:
        along = visible(self._unit.actor, region=todos.c.region_code, org=todos.c.org_path, line=True)
        return along & todos.c.org_path.is_not(None) & ~self._mine()

    def _found(self, row: Row[Any] | None, todo_id: UUID) -> Todo:
        if row is None:
            raise TodoNotFound(todo_id=str(todo_id))
        return self._todo(row)

    def _todo(self, row: Row[Any]) -> Todo:
        what = (row.title, row.org_id, row.org_path, row.region_code, row.ready_at, row.matter_code, row.item_code)
        due = (row.promised_due_at, row.statutory_due_at, row.yellow_at, row.remind_at)
        return Todo(
            todo_id=row.todo_id,
            source=row.source,
            source_id=row.source_id,
            version=row.version,
            stage=Stage(row.stage),
            revision=row.revision,
            described_version=row.described_version,
            description=Description(*what, kind=Kind(row.kind)) if row.described_version else None,
            due_version=row.due_version,
            deadlines=Deadlines(*due) if row.due_version else None,
            waiting_version=row.waiting_version,
            waiting=Waiting(row.waiting_since, row.waiting_until) if row.waiting_since else None,
            done_at=row.done_at,
            claim=Claim(row.claimed_post_id, row.claimed_post_title, row.claimed_at) if row.claimed_post_id else None,
            returned=self._returned(row) if row.returned_at else None,
        )

    def _returned(self, row: Row[Any]) -> Return:
        sealed = row.return_reason
        reason = self._unit.keys.open(sealed, bound=_reason_of(row.todo_id)).decode() if sealed else ""
        return Return(row.returned_by, reason, row.returned_at)


def _in_hand() -> ColumnElement[bool]:
    return todos.c.claimed_post_id.is_not(None) & (todos.c.state != State.DONE.value)


def _unclaimed(since: datetime) -> ColumnElement[bool]:
    return (todos.c.state == State.OPEN.value) & (todos.c.ready_at <= since) & todos.c.org_id.is_not(None)


def _reason_of(todo_id: UUID) -> str:
    return f"todos.return_reason:{todo_id}"
