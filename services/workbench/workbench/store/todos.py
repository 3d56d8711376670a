"""Todos, as the actor may see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, func, select, text, tuple_, update

from workbench.domain import Claim, Counts, Deadlines, Description, Stage, State, Todo, TodoNotFound
from workbench.models import todos

# The row of a task, made if it is not there, and locked: consumers of different facts meet at the same task.
HOLD = text("""
    INSERT INTO todos (todo_id, source, source_id, version, stage, state, revision, described_version, due_version)
    VALUES (:todo_id, :source, :source_id, 0, 'ready', 'open', 0, 0, 0)
    ON CONFLICT (source, source_id) DO UPDATE SET source = EXCLUDED.source
    RETURNING *
""")


class Todos:
    """The todo list as the actor may see it."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, source: str, source_id: str) -> Todo:
        """Load the todo of a source's task, to change it; of a task never heard of, an empty one."""
        told = {"todo_id": self._unit.ids(), "source": source, "source_id": source_id}
        return _todo((await self._unit.connection.execute(HOLD, told)).one())

    async def get(self, todo_id: UUID) -> Todo:
        """Load one todo that the actor may see."""
        statement = select(todos).where(todos.c.todo_id == todo_id, self._mine())
        return _found((await self._unit.connection.execute(statement)).one_or_none(), todo_id)

    async def lock(self, todo_id: UUID) -> Todo:
        """Load one todo that the actor may see, to change it."""
        statement = select(todos).where(todos.c.todo_id == todo_id, self._mine()).with_for_update()
        return _found((await self._unit.connection.execute(statement)).one_or_none(), todo_id)

    async def page(self, state: State, *, post_id: str | None, cursor: str | None, size: int) -> Page[Todo]:
        """List the todos of one state: what is due first comes first; of one post's claims, if asked."""
        order = (todos.c.sort_at, todos.c.todo_id)
        statement = select(todos).where(self._mine(), todos.c.state == state.value).order_by(*order).limit(size + 1)
        if post_id is not None:
            statement = statement.where(todos.c.claimed_post_id == post_id)
        if cursor:
            statement = statement.where(tuple_(*order) > tuple_(*decode(cursor, datetime, UUID)))
        rows = (await self._unit.connection.execute(statement)).all()
        page = cut(rows, size, lambda row: (row.sort_at, row.todo_id))
        return Page([_todo(row) for row in page.items], page.next_cursor)

    async def count(self, post_id: str | None) -> Counts:
        """Count the todos by state, and those that a post has claimed and not done."""
        claimed = (todos.c.state == State.CLAIMED.value) & (todos.c.claimed_post_id == post_id)
        statement = (
            select(todos.c.state, func.count().label("number"), func.count().filter(claimed).label("mine"))
            .where(self._mine())
            .group_by(todos.c.state)
        )
        rows = {row.state: row for row in await self._unit.connection.execute(statement)}
        return Counts(
            open=rows[State.OPEN].number if State.OPEN in rows else 0,
            claimed=rows[State.CLAIMED].number if State.CLAIMED in rows else 0,
            done=rows[State.DONE].number if State.DONE in rows else 0,
            mine=rows[State.CLAIMED].mine if State.CLAIMED in rows else 0,
        )

    async def save(self, todo: Todo) -> None:
        """Keep a todo that was held or locked before; at once, so that the next fact of a batch sees it."""
        what, due, claim = todo.description, todo.deadlines, todo.claim
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
                due_version=todo.due_version,
                promised_due_at=due and due.promised,
                statutory_due_at=due and due.statutory,
                done_at=todo.done_at,
                claimed_post_id=claim and claim.post_id,
                claimed_post_title=claim and claim.post_title,
                claimed_at=claim and claim.claimed_at,
            )
        )
        await self._unit.connection.execute(statement)

    def _mine(self) -> ColumnElement[bool]:
        # A todo not yet described belongs to nobody: without an organisation no scope holds it.
        return visible(self._unit.actor, region=todos.c.region_code, org=todos.c.org_path) & todos.c.org_path.is_not(
            None
        )


def _found(row: Row[Any] | None, todo_id: UUID) -> Todo:
    if row is None:
        raise TodoNotFound(todo_id=str(todo_id))
    return _todo(row)


def _todo(row: Row[Any]) -> Todo:
    return Todo(
        todo_id=row.todo_id,
        source=row.source,
        source_id=row.source_id,
        version=row.version,
        stage=Stage(row.stage),
        revision=row.revision,
        described_version=row.described_version,
        description=Description(row.title, row.org_id, row.org_path, row.region_code, row.ready_at)
        if row.described_version
        else None,
        due_version=row.due_version,
        deadlines=Deadlines(row.promised_due_at, row.statutory_due_at) if row.due_version else None,
        done_at=row.done_at,
        claim=Claim(row.claimed_post_id, row.claimed_post_title, row.claimed_at) if row.claimed_post_id else None,
    )
