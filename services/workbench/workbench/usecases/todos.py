"""The verbs of the todo list."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from common.errors import Refusal
from common.paging import Page
from worktime import national

from workbench import events
from workbench.domain import todo as rules
from workbench.domain.absence import Absence, check_present, declare
from workbench.domain.todo import (
    Colleague,
    Deadlines,
    Description,
    PostOutside,
    Todo,
    Waiting,
)
from workbench.domain.todo_list import Counts, Search, TodoView, Tried, view
from workbench.store import Tx


async def make_ready(tx: Tx, source: str, source_id: str, description: Description, *, version: int) -> None:
    """Open the todo of a task that became ready."""
    await _learn(tx, source, source_id, lambda todo: rules.make_ready(todo, description, version=version))


async def accept(tx: Tx, source: str, source_id: str, deadlines: Deadlines, *, version: int) -> None:
    """Note that a task was accepted (受理), and by when it is due."""
    await _learn(tx, source, source_id, lambda todo: rules.accept(todo, deadlines, version=version))


async def wait(tx: Tx, source: str, source_id: str, waiting: Waiting | None, *, version: int) -> None:
    """Note that the applicant has a task in hand (补正) until a day, or has no longer."""
    await _learn(tx, source, source_id, lambda todo: rules.wait(todo, waiting, version=version))


async def finish(tx: Tx, source: str, source_id: str, *, version: int, at: datetime) -> None:
    """Note that nothing is left to do for a task (办结)."""
    await _learn(tx, source, source_id, lambda todo: rules.finish(todo, version=version, at=at))


async def release_todos(tx: Tx, post_id: str, *, reason: str) -> None:
    """Open again for everybody what a post has in hand that is held no longer, and say so."""
    await tx.absences.hold(post_id)
    for todo in await tx.todos.lock_claimed(post_id):
        released = rules.release(todo, reason=reason, at=tx.unit.at)
        await tx.todos.save(released)
        tx.unit.record("workbench.release_todo", subject=("todo", str(todo.todo_id)), details={"post_id": post_id})
        tx.unit.emit(events.todo_returned(released, post_id=post_id, at=tx.unit.at))


async def list_todos(tx: Tx, search: Search, *, cursor: str | None, size: int) -> Page[TodoView]:
    """List the todos of the post's scope that are looked for, the overdue first."""
    page = await tx.todos.page(search, cursor=cursor, size=size)
    return Page([_view(tx, todo, in_line=search.line) for todo in page.items], page.next_cursor)


async def count_todos(tx: Tx) -> Counts:
    """Count the todos of the post's scope."""
    return await tx.todos.count(post_id_of(tx))


async def read_todo(tx: Tx, todo_id: UUID) -> TodoView:
    """Read one todo."""
    return _view(tx, await tx.todos.get(todo_id))


async def claim_todo(tx: Tx, todo_id: UUID) -> TodoView:
    """Claim a todo (认领) for the post that the caller acts in."""
    post_id, title = post_id_of(tx), post_title_of(tx)
    await _check_present(tx, post_id, title)
    todo = await tx.todos.lock(todo_id)
    claimed = rules.claim(todo, post_id=post_id, post_title=title, at=tx.unit.at)
    if claimed != todo:
        await tx.todos.save(claimed)
        tx.unit.record("workbench.claim_todo", subject=("todo", str(todo_id)))
        tx.unit.emit(events.todo_claimed(claimed))
    return _view(tx, claimed)


async def return_todo(tx: Tx, todo_id: UUID, *, reason: str) -> TodoView:
    """Give a claimed todo back (退回), with a reason."""
    todo = await tx.todos.lock(todo_id)
    returned = rules.give_back(todo, post_id=post_id_of(tx), reason=reason, at=tx.unit.at)
    await tx.todos.save(returned)
    tx.unit.record("workbench.return_todo", subject=("todo", str(todo_id)))
    tx.unit.emit(events.todo_returned(returned, post_id=post_id_of(tx), at=tx.unit.at))
    return _view(tx, returned)


async def claim_todos(tx: Tx, todo_ids: Collection[UUID], *, sentences: Mapping[str, str]) -> list[Tried]:
    """Claim many todos: each that cannot be is told with its reason, and the others are claimed."""
    return await _try_all(lambda todo_id: claim_todo(tx, todo_id), todo_ids, sentences)


async def return_todos(tx: Tx, todo_ids: Collection[UUID], *, reason: str, sentences: Mapping[str, str]) -> list[Tried]:
    """Give many todos back: each that cannot be is told with its reason, and the others are given back."""
    return await _try_all(lambda todo_id: return_todo(tx, todo_id, reason=reason), todo_ids, sentences)


async def reassign_todo(tx: Tx, todo_id: UUID, to: Colleague | None, *, revision: int) -> TodoView:
    """Hand a todo to another post of its organisation (转办), as it was when `revision` was seen."""
    if to is None:
        raise PostOutside(todo_id=str(todo_id))
    await _check_present(tx, to.post_id, to.title)
    todo = await tx.todos.lock(todo_id)
    reassigned = rules.reassign(todo, to, revision=revision, at=tx.unit.at)
    if reassigned != todo:
        await tx.todos.save(reassigned)
        tx.unit.record("workbench.reassign_todo", subject=("todo", str(todo_id)), details={"post_id": to.post_id})
        tx.unit.emit(events.todo_reassigned(reassigned, post_id=to.post_id, at=tx.unit.at))
    return _view(tx, reassigned)


async def read_absence(tx: Tx) -> Absence:
    """Read until when the caller's post is away."""
    return await tx.absences.get(post_id_of(tx))


async def declare_absence(tx: Tx, returns_on: date) -> Absence:
    """Declare the caller's post away (离岗): all it has claimed goes back to everybody."""
    absence = declare(returns_on, today=national().local(tx.unit.at).date())
    await tx.absences.keep(post_id_of(tx), absence)
    for todo in await tx.todos.give_back(post_id_of(tx)):
        tx.unit.emit(events.todo_returned(todo, post_id=post_id_of(tx), at=tx.unit.at))
    tx.unit.record(
        "workbench.declare_absence", subject=("post", post_id_of(tx)), details={"returns_on": returns_on.isoformat()}
    )
    return absence


async def end_absence(tx: Tx) -> Absence:
    """Declare the caller's post back (返岗), before its day."""
    await tx.absences.keep(post_id_of(tx), Absence(None))
    tx.unit.record("workbench.end_absence", subject=("post", post_id_of(tx)))
    return Absence(None)


async def _check_present(tx: Tx, post_id: str, title: str) -> None:
    check_present(await tx.absences.share(post_id), post_title=title, at=national().local(tx.unit.at))


async def _try_all(
    act: Callable[[UUID], Awaitable[TodoView]], todo_ids: Collection[UUID], sentences: Mapping[str, str]
) -> list[Tried]:
    """Try an act on each todo: a refusal is said before anything of that todo is written."""
    tried: dict[UUID, Tried] = {}
    # In order of id: two officers who claim the same rows wait for each other instead of deadlocking.
    for todo_id in sorted(set(todo_ids)):
        try:
            tried[todo_id] = Tried(todo_id, await act(todo_id))
        except Refusal as refusal:
            detail = sentences[refusal.reason].format_map(refusal.data)
            tried[todo_id] = Tried(todo_id, None, refusal.reason, detail)
    return [tried[todo_id] for todo_id in dict.fromkeys(todo_ids)]


async def _learn(tx: Tx, source: str, source_id: str, merge: Callable[[Todo], Todo]) -> None:
    """Merge what a source told into its todo."""
    known = await tx.todos.hold(source, source_id)
    learned = merge(known)
    if learned != known:
        await tx.todos.save(learned)


def _view(tx: Tx, todo: Todo, *, in_line: bool = False) -> TodoView:
    return view(todo, post_id=post_id_of(tx), at=tx.unit.at, in_line=in_line)


def post_id_of(tx: Tx) -> str:
    """Tell in which post the caller acts."""
    post = tx.unit.actor.post
    return post.id if post is not None else ""


def post_title_of(tx: Tx) -> str:
    """Tell what colleagues call the post that the caller acts in."""
    post = tx.unit.actor.post
    return post.title if post is not None and post.title else post_id_of(tx)
