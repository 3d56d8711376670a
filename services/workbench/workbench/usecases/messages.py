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
    make_message,
    organisation_mailbox,
    person_mailbox,
    post_mailbox,
)
from workbench.domain.todo_list import Counts
from workbench.store import Tx

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


async def list_messages(tx: Tx, *, unread: bool, cursor: str | None, size: int) -> Page[MessageView]:
    """List the caller's messages, the newest first."""
    boxes = mailboxes_of(tx.unit.actor)
    return await tx.messages.page(boxes[0], boxes, unread=unread, cursor=cursor, size=size)


async def count_unread(tx: Tx) -> Unread:
    """Count what the caller has not read."""
    boxes = mailboxes_of(tx.unit.actor)
    return Unread(await tx.messages.count_unread(boxes[0], boxes))


async def read_message(tx: Tx, message_id: UUID) -> MessageView:
    """Read one message, and leave the receipt (回执)."""
    boxes = mailboxes_of(tx.unit.actor)
    await tx.messages.get(boxes[0], boxes, message_id)
    await tx.messages.read(boxes[0], message_id)
    return await tx.messages.get(boxes[0], boxes, message_id)


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
    """Name the mailboxes that a caller reads; the first is the caller's own, and names the reader."""
    if actor.kind is Caller.CITIZEN:
        return (person_mailbox(actor.id),)
    if actor.post is None:
        return ()
    return post_mailbox(actor.post.id), organisation_mailbox(actor.post.org_path)
