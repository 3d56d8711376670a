"""The journal as the person it concerns reads it, with names of bodies and posts in place of ids."""

from uuid import UUID

from common import journal
from common.journal import Entry
from common.paging import Page
from common.permissions import Caller
from common.transaction import Transaction
from sqlalchemy import select, union_all

from accounts.domain.access import Access
from accounts.models import delegations, organisations, posts


class AccessLog:
    """Acts on a person's data."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def page(self, owner: str, *, cursor: str | None, size: int) -> Page[Access]:
        """List acts on a person's data, the latest first."""
        page = await journal.read(self._unit.connection, owner=owner, cursor=cursor, size=size)
        names = await self._names({UUID(entry.post_id) for entry in page.items if entry.post_id})
        return Page([_access(entry, names) for entry in page.items], page.next_cursor)

    async def _names(self, post_ids: set[UUID]) -> dict[str, tuple[str, str]]:
        if not post_ids:
            return {}
        # Who acts in a lent post is named by its delegation.
        acted_in = union_all(
            select(posts.c.post_id.label("id"), posts.c.post_id),
            select(delegations.c.delegation_id.label("id"), delegations.c.post_id),
        ).subquery()
        statement = (
            select(acted_in.c.id, organisations.c.name, posts.c.title)
            .join_from(acted_in, posts, posts.c.post_id == acted_in.c.post_id)
            .join(organisations, posts.c.org_id == organisations.c.org_id)
            .where(acted_in.c.id.in_(post_ids))
        )
        rows = await self._unit.connection.execute(statement)
        return {str(row.id): (row.name, row.title) for row in rows}


def _access(entry: Entry, names: dict[str, tuple[str, str]]) -> Access:
    organisation, title = names.get(entry.post_id or "", (None, None))
    return Access(
        at=entry.at,
        act=entry.act,
        organisation=organisation,
        post_title=title,
        service=entry.actor_id if entry.actor_kind == Caller.SERVICE.value else None,
        purpose=entry.purpose,
        in_full=bool(entry.details.get("in_full")),
    )
