"""The verbs about employees and their posts."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from common import permissions
from common.paging import Page
from common.permissions import Caller

from accounts import events
from accounts.domain import post as posts
from accounts.domain.delegation import lent
from accounts.domain.post import (
    Employee,
    EmployeeAlreadyKnown,
    EmployeeUnknown,
    OrganisationUnknown,
    OwnPost,
    Post,
    PostAlreadyGiven,
    PostNotHeld,
)
from accounts.domain.who import EmployeeFile
from accounts.store import Store, Tx


async def employ(tx: Tx, employee_id: UUID | None, *, name: str, org_id: UUID) -> Employee:
    """Enter an employee (工作人员) of an organisation within the caller's scope."""
    organisation = await tx.organisations.within_scope(org_id)
    if organisation is None:
        raise OrganisationUnknown
    employee = posts.employ(employee_id or tx.unit.ids(), name=name, organisation=organisation)
    await tx.employees.hold(employee.employee_id)
    known = await tx.employees.find(employee.employee_id)
    if known is not None:
        if known != employee:
            raise EmployeeAlreadyKnown(employee_id=employee.employee_id)
        return known
    tx.employees.add(employee)
    tx.unit.record("accounts.employ", subject=("employee", str(employee.employee_id)))
    return employee


async def read_employee(tx: Tx, employee_id: UUID) -> EmployeeFile:
    """Read an employee of the caller's scope, with those posts that are within it too."""
    employee = await tx.employees.get(employee_id)
    tx.unit.record("accounts.read_employee", subject=("employee", str(employee_id)))
    return EmployeeFile(employee, tuple(await tx.posts.visible_of(employee_id)))


async def list_employees(tx: Tx, *, cursor: str | None, size: int) -> Page[Employee]:
    """List the employees of the caller's scope."""
    return await tx.employees.page(cursor=cursor, size=size)


async def give_post(
    tx: Tx,
    post_id: UUID | None,
    *,
    employee_id: UUID,
    org_id: UUID,
    title: str,
    granted: Collection[str],
    rank: int,
    line: bool,
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> Post:
    """Give an employee a post (任职) in an organisation within the caller's scope."""
    _check_not_own(tx, employee_id)
    organisation = await tx.organisations.within_scope(org_id)
    if organisation is None:
        raise OrganisationUnknown
    employee = await tx.employees.find(employee_id)
    if employee is None:
        raise EmployeeUnknown
    post = posts.give(
        post_id or tx.unit.ids(),
        employee=employee,
        organisation=organisation,
        title=title,
        permissions=granted,
        rank=rank,
        line=line,
        valid_from=valid_from or tx.unit.at,
        valid_until=valid_until,
    )
    await tx.posts.hold(post.post_id)
    known = await tx.posts.find(post.post_id)
    if known is not None:
        if not known.same_content(post):
            raise PostAlreadyGiven(post_id=post.post_id)
        return known
    tx.posts.add(post)
    _journal(tx, "accounts.give_post", post)
    return post


async def end_post(tx: Tx, post_id: UUID) -> Post:
    """End a post (免职), from now on."""
    post = await tx.posts.lock(post_id)
    _check_not_own(tx, post.employee_id)
    ended = posts.end(post, at=tx.unit.at)
    tx.posts.change(ended)
    _journal(tx, "accounts.end_post", ended)
    # Whoever the post was lent to loses it with its holder.
    for delegation in await tx.delegations.of_post(post_id):
        if delegation.valid_until > tx.unit.at:
            tx.unit.emit(events.post_changed(lent(delegation, ended), at=tx.unit.at))
    return ended


async def rank_post(tx: Tx, post_id: UUID, rank: int) -> Post:
    """Give a post another place among those of its employee: the lowest is acted in when none is named."""
    post = await tx.posts.lock(post_id)
    ranked = posts.rank(post, rank)
    if ranked is not post:
        tx.posts.change(ranked)
        _journal(tx, "accounts.rank_post", ranked)
    return ranked


async def resolve_post(store: Store, employee_id: str, post_id: str | None) -> permissions.Post:
    """Find the post that an employee acts in (确定任职): the one named, or the first by rank."""
    employee, wanted = uuid_or_none(employee_id), uuid_or_none(post_id)
    if employee is None or (post_id is not None and wanted is None):
        raise PostNotHeld
    post = await store.resolve_post(employee, wanted)
    return permissions.Post(
        id=str(post.post_id),
        employee_id=str(post.employee_id),
        org_id=str(post.org_id),
        org_path=post.org_path,
        region_code=post.region_code,
        permissions=frozenset(post.permissions),
        title=post.title,
    )


async def act_in(tx: Tx, post_id: UUID | None) -> Post:
    """Tell the calling employee the post named, as it is now."""
    held = await tx.posts.of_employee(UUID(tx.unit.actor.id))
    return posts.resolve(held, post_id, tx.unit.at)


async def batch_get_posts(tx: Tx, post_ids: Collection[UUID]) -> list[Post]:
    """Read many posts of the caller's scope at once, own and lent; those unknown, or not held now, are left out."""
    return [post for post in await tx.posts.visible(post_ids) if post.is_held(tx.unit.at)]


async def find_posts(tx: Tx, org_ids: Collection[UUID], *, permission: str) -> list[Post]:
    """Find the posts of organisations in the caller's scope that are held now and may do something."""
    found = await tx.posts.visible_in(org_ids)
    return [post for post in found if post.is_held(tx.unit.at) and (not permission or permission in post.permissions)]


def uuid_or_none(text: str | None) -> UUID | None:
    """Read an id that came as text; what is no id names nothing."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _check_not_own(tx: Tx, employee_id: UUID) -> None:
    actor = tx.unit.actor
    if actor.kind is Caller.OFFICER and actor.id == str(employee_id):
        raise OwnPost


def _journal(tx: Tx, act: str, post: Post) -> None:
    tx.unit.record(
        act,
        subject=("post", str(post.post_id)),
        details={"employee_id": str(post.employee_id), "version": post.version, "permissions": list(post.permissions)},
    )
    tx.unit.emit(events.post_changed(post, at=tx.unit.at))
