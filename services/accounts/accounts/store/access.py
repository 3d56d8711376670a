"""The journal as the person it concerns reads it, with names of bodies and posts in place of ids."""

from uuid import UUID

from common import journal
from common.journal import Entry
from common.paging import Page
from common.permissions import Caller
from common.transaction import Transaction
from sqlalchemy import select

from accounts.domain.access import Access
from accounts.models import organisations, posts


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
        statement = (
            select(posts.c.post_id, organisations.c.name, posts.c.title)
            .join_from(posts, organisations, posts.c.org_id == organisations.c.org_id)
            .where(posts.c.post_id.in_(post_ids))
        )
        rows = await self._unit.connection.execute(statement)
        return {str(row.post_id): (row.name, row.title) for row in rows}


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
