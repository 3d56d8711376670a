"""Reminding officers of todos whose promise runs out."""

from collections.abc import Mapping

from worktime import national

from workbench.domain.message import MessageKind
from workbench.store import Tx
from workbench.usecases.messages import mailbox_of, send_message

SOURCE = "workbench"
_BATCH = 100


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
