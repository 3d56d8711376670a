"""The verbs of messages."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from common.auth import Actor
from common.paging import Page
from common.permissions import Caller

from workbench.domain.message import (
    Delivery,
    MessageKind,
    MessageView,
    Place,
    Unread,
    legal_person_mailbox,
    make_message,
    organisation_mailbox,
    person_mailbox,
    post_mailbox,
    show,
)
from workbench.domain.todo import State, Todo
from workbench.domain.todo_list import Counts
from workbench.store import Tx
from workbench.usecases.agents import Agent

READ_TODOS = "workbench:read_todo"


async def send_message(
    tx: Tx,
    kind: MessageKind,
    recipients: Sequence[str],
    *,
    source: str,
    source_id: str,
    sentences: Mapping[str, str],
    **data: str,
) -> None:
    """Tell recipients one thing once, however often the source tells it."""
    message = make_message(tx.unit.ids(), source, source_id, kind, sentences=sentences, data=data, at=tx.unit.at)
    await tx.messages.send(message, recipients)


async def tell_claimer(
    tx: Tx, kind: MessageKind, source_id: str, *, about: str, source: str, sentences: Mapping[str, str], **data: str
) -> None:
    """Tell whoever has the todo of a task, or its whole organisation, one thing once; nobody when it is done."""
    todo = await tx.todos.find(source, about)
    if todo is None or todo.description is None or todo.state is State.DONE:
        return
    data["title"] = todo.description.title
    await send_message(tx, kind, [mailbox_of(todo)], source=source, source_id=source_id, sentences=sentences, **data)


def mailbox_of(todo: Todo) -> str:
    """Name the mailbox of whoever claimed a todo, or of its whole organisation."""
    if todo.claim is not None:
        return post_mailbox(todo.claim.post_id)
    return organisation_mailbox(todo.description.org_path if todo.description else "")


async def list_messages(
    tx: Tx, *, unread: bool, cursor: str | None, size: int, sentences: Mapping[str, str]
) -> Page[MessageView]:
    """List the caller's messages, the newest first."""
    reader, boxes = reader_of(tx.unit.actor), mailboxes_of(tx.unit.actor)
    page = await tx.messages.page(reader, boxes, unread=unread, cursor=cursor, size=size)
    return Page([show(message, sentences) for message in page.items], page.next_cursor)


async def count_unread(tx: Tx) -> Unread:
    """Count what the caller has not read."""
    return Unread(await tx.messages.count_unread(reader_of(tx.unit.actor), mailboxes_of(tx.unit.actor)))


async def read_message(tx: Tx, message_id: UUID, sentences: Mapping[str, str]) -> MessageView:
    """Read one message, and leave the receipt (回执); of what was recalled there is nothing to read."""
    reader, boxes = reader_of(tx.unit.actor), mailboxes_of(tx.unit.actor)
    if (await tx.messages.share(reader, boxes, message_id)).recalled_at is None:
        await tx.messages.read(reader, message_id)
    return show(await tx.messages.get(reader, boxes, message_id), sentences)


async def count_for_stream(tx: Tx) -> tuple[int, Counts | None]:
    """Count what a browser shows: unread messages, and the todos of an officer who may read them."""
    post = tx.unit.actor.post
    todos = await tx.todos.count(post.id) if post is not None and READ_TODOS in post.permissions else None
    return (await count_unread(tx)).unread, todos


async def find_place(tx: Tx) -> Place:
    """Tell where the caller's mailboxes stand now."""
    return await tx.messages.place(mailboxes_of(tx.unit.actor))


async def list_since(tx: Tx, place: Place, *, most: int) -> list[Delivery]:
    """List what came to the caller after a place."""
    return await tx.messages.since(place, most)


def mailboxes_of(actor: Actor) -> tuple[str, ...]:
    """Name the mailboxes that a caller reads: the own ones, or those of the legal person that he or she acts for."""
    if isinstance(actor, Agent):
        legal_person_id, matters = actor.agency.legal_person_id, actor.agency.matters
        given = [""] if matters is None else sorted(matters)
        return tuple(legal_person_mailbox(legal_person_id, matter) for matter in given)
    if actor.kind is Caller.CITIZEN:
        return (person_mailbox(actor.id),)
    if actor.post is None:
        return ()
    return post_mailbox(actor.post.id), organisation_mailbox(actor.post.org_path)


def reader_of(actor: Actor) -> str:
    """Name who leaves receipts: a person, or an officer's post, whomever they read for."""
    return post_mailbox(actor.post.id) if actor.post is not None else person_mailbox(actor.id)
