"""Reminding officers of todos whose promise runs out."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from worktime import national

from workbench.domain.message import MessageKind, mailboxes_above
from workbench.store import Tx
from workbench.usecases.messages import mailbox_of, send_message

SOURCE = "workbench"
_BATCH = 100


async def tell_unstaffed(tx: Tx, org_id: UUID, *, since: datetime, sentences: Mapping[str, str]) -> None:
    """Tell the organisations above of every todo of a body where nobody is who could claim it, each once."""
    for todo in await tx.todos.unclaimed(org_id, since):
        if todo.description is not None:
            await send_message(
                tx,
                MessageKind.TODO_UNSTAFFED,
                mailboxes_above(todo.description.org_path),
                source=SOURCE,
                source_id=str(todo.todo_id),
                sentences=sentences,
                title=todo.description.title,
            )


async def remind_due(tx: Tx, *, sentences: Mapping[str, str]) -> bool:
    """Remind of a batch of todos, each once: whoever claimed it, or its whole organisation; say if more may wait."""
    due = await tx.todos.take_due(_BATCH)
    for todo in due:
        if todo.description is None or todo.deadlines is None or todo.deadlines.promised is None:
            continue
        await send_message(
            tx,
            MessageKind.TODO_DUE,
            [mailbox_of(todo)],
            source=SOURCE,
            source_id=str(todo.todo_id),
            sentences=sentences,
            title=todo.description.title,
            due_at=f"{national().local(todo.deadlines.promised):%Y-%m-%d %H:%M}",
        )
    return len(due) == _BATCH
