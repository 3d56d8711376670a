"""Reminding officers of todos whose promise runs out."""

from collections.abc import Mapping

from worktime import national

from workbench.domain.message import MessageKind, organisation_mailbox, post_mailbox
from workbench.store import Tx
from workbench.usecases.messages import send_message

SOURCE = "workbench"
_BATCH = 100


async def remind_due(tx: Tx, *, sentences: Mapping[str, str]) -> bool:
    """Remind of a batch of todos, each once: whoever claimed it, or its whole organisation; say if more may wait."""
    due = await tx.todos.take_due(_BATCH)
    for todo in due:
        if todo.description is None or todo.deadlines is None or todo.deadlines.promised is None:
            continue
        mailbox = post_mailbox(todo.claim.post_id) if todo.claim else organisation_mailbox(todo.description.org_path)
        await send_message(
            tx,
            MessageKind.TODO_DUE,
            [mailbox],
            source=SOURCE,
            source_id=str(todo.todo_id),
            sentences=sentences,
            title=todo.description.title,
            due_at=f"{national().local(todo.deadlines.promised):%Y-%m-%d %H:%M}",
        )
    return len(due) == _BATCH
