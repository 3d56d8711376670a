"""The verbs of consulting another department."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from worktime import national

from workbench.domain import consult as rules
from workbench.domain.consult import Consult, ConsultNotFound, ConsultView, Department, DepartmentUnknown
from workbench.domain.message import MessageKind, organisation_mailbox, post_mailbox
from workbench.domain.todo import Description, Kind, TodoAlreadyClaimed, TodoAlreadyDone, TodoNotClaimed, deadlines_of
from workbench.store import Tx
from workbench.usecases import todos
from workbench.usecases.messages import send_message

SOURCE = "workbench"


async def ask_consult(
    tx: Tx,
    todo_id: UUID,
    department: Department | None,
    *,
    question: str,
    due_on: date,
    sentences: Mapping[str, str],
) -> ConsultView:
    """Ask another department about a claimed todo (征求意见): it gets a todo of its own, due on the day named."""
    todo = await tx.todos.lock(todo_id)
    post = tx.unit.actor.post
    if todo.done_at is not None:
        raise TodoAlreadyDone(todo_id=str(todo_id))
    if todo.claim is None or todo.description is None or post is None:
        raise TodoNotClaimed(todo_id=str(todo_id))
    if todo.claim.post_id != post.id:
        raise TodoAlreadyClaimed(todo_id=str(todo_id), post=todo.claim.post_title)
    if department is None or department.org_path == todo.description.org_path:
        raise DepartmentUnknown
    due_at = rules.due_on(due_on, at=tx.unit.at, calendar=national())
    consult = Consult(
        consult_id=tx.unit.ids(),
        todo_id=todo_id,
        asker_post_id=post.id,
        asker_post_title=todos.post_title_of(tx),
        asker_org_id=todo.description.org_id,
        department=department,
        question=question,
        asked_at=tx.unit.at,
        due_at=due_at,
    )
    await tx.consults.add(consult)
    source_id = str(consult.consult_id)
    title = sentences["CONSULT_TODO"].format(title=todo.description.title)
    description = Description(
        title=title,
        org_id=department.org_id,
        org_path=department.org_path,
        region_code=department.region_code,
        ready_at=tx.unit.at,
        matter_code=todo.description.matter_code,
        item_code=todo.description.item_code,
        kind=Kind.CONSULT,
    )
    await todos.make_ready(tx, SOURCE, source_id, description, version=1)
    limits = deadlines_of(due_at, None, accepted_at=tx.unit.at, calendar=national())
    await todos.accept(tx, SOURCE, source_id, limits, version=2)
    await send_message(
        tx,
        MessageKind.CONSULT_ASKED,
        [organisation_mailbox(department.org_path)],
        source=SOURCE,
        source_id=source_id,
        sentences=sentences,
        asker=consult.asker_post_title,
        title=todo.description.title,
        due_at=f"{due_on:%Y-%m-%d}",
    )
    tx.unit.record("workbench.ask_consult", subject=("todo", str(todo_id)), details={"consult_id": source_id})
    return rules.show(consult)


async def answer_consult(tx: Tx, todo_id: UUID, text: str, *, sentences: Mapping[str, str]) -> ConsultView:
    """Answer a consult whose todo the caller's post has claimed; the answer goes back to whoever asked."""
    todo = await tx.todos.lock(todo_id)
    post_id = todos.post_id_of(tx)
    if todo.description is None or todo.description.kind is not Kind.CONSULT:
        raise ConsultNotFound(todo_id=str(todo_id))
    consult = rules.answer(
        await tx.consults.lock(UUID(todo.source_id)), text, answered_by=todos.post_title_of(tx), at=tx.unit.at
    )
    if todo.claim is None:
        raise TodoNotClaimed(todo_id=str(todo_id))
    if todo.claim.post_id != post_id:
        raise TodoAlreadyClaimed(todo_id=str(todo_id), post=todo.claim.post_title)
    await tx.consults.answer(consult)
    await todos.finish(tx, SOURCE, todo.source_id, version=3, at=tx.unit.at)
    await send_message(
        tx,
        MessageKind.CONSULT_ANSWERED,
        [post_mailbox(consult.asker_post_id)],
        source=SOURCE,
        source_id=todo.source_id,
        sentences=sentences,
        title=todo.description.title,
        answerer=consult.department.name,
    )
    tx.unit.record("workbench.answer_consult", subject=("todo", str(todo_id)), details={"consult_id": todo.source_id})
    return rules.show(consult)


async def list_consults(tx: Tx, todo_id: UUID) -> list[ConsultView]:
    """List what a todo asked of other departments, and, of a consult's own todo, the consult itself."""
    todo = await tx.todos.get(todo_id)
    own = todo.source_id if todo.description is not None and todo.description.kind is Kind.CONSULT else ""
    return [rules.show(consult) for consult in await tx.consults.about(todo_id, own)]
