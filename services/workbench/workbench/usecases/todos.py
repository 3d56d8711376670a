"""The verbs of the todo list."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from common.paging import Page

from workbench import domain, events
from workbench.domain import Counts, Deadlines, Description, State, Todo, TodoView
from workbench.store import Tx


async def make_ready(tx: Tx, source: str, source_id: str, description: Description, *, version: int) -> None:
    """Open the todo of a task that became ready."""
    await _learn(tx, source, source_id, lambda todo: domain.make_ready(todo, description, version=version))


async def accept(tx: Tx, source: str, source_id: str, deadlines: Deadlines, *, version: int) -> None:
    """Note that a task was accepted (受理), and by when it is due."""
    await _learn(tx, source, source_id, lambda todo: domain.accept(todo, deadlines, version=version))


async def finish(tx: Tx, source: str, source_id: str, *, version: int, at: datetime) -> None:
    """Note that nothing is left to do for a task (办结)."""
    await _learn(tx, source, source_id, lambda todo: domain.finish(todo, version=version, at=at))


async def list_todos(tx: Tx, state: State, *, mine: bool, cursor: str | None, size: int) -> Page[TodoView]:
    """List the todos of the post's scope in one state, or only those that the post claimed."""
    page = await tx.todos.page(state, post_id=_post_id(tx) if mine else None, cursor=cursor, size=size)
    return Page([domain.view(todo, post_id=_post_id(tx)) for todo in page.items], page.next_cursor)


async def count_todos(tx: Tx) -> Counts:
    """Count the todos of the post's scope."""
    return await tx.todos.count(_post_id(tx))


async def read_todo(tx: Tx, todo_id: UUID) -> TodoView:
    """Read one todo."""
    return domain.view(await tx.todos.get(todo_id), post_id=_post_id(tx))


async def claim_todo(tx: Tx, todo_id: UUID) -> TodoView:
    """Claim a todo (认领) for the post that the caller acts in."""
    todo = await tx.todos.lock(todo_id)
    claimed = domain.claim(todo, post_id=_post_id(tx), post_title=_post_title(tx), at=tx.unit.at)
    if claimed != todo:
        await tx.todos.save(claimed)
        tx.unit.record("workbench.claim_todo", subject=("todo", str(todo_id)))
        tx.unit.emit(events.todo_claimed(claimed))
    return domain.view(claimed, post_id=_post_id(tx))


async def _learn(tx: Tx, source: str, source_id: str, merge: Callable[[Todo], Todo]) -> None:
    """Merge what a source told into its todo."""
    known = await tx.todos.hold(source, source_id)
    learned = merge(known)
    if learned != known:
        await tx.todos.save(learned)


def _post_id(tx: Tx) -> str:
    post = tx.unit.actor.post
    return post.id if post is not None else ""


def _post_title(tx: Tx) -> str:
    post = tx.unit.actor.post
    return post.title if post is not None and post.title else _post_id(tx)
