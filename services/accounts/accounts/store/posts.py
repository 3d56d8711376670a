"""Employees and their posts in the database; an officer sees those of his or her region and department."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from sqlalchemy import ColumnElement, Row, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.domain.delegation import lent
from accounts.domain.post import Employee, EmployeeNotFound, Post, PostNotFound
from accounts.models import accounts, delegations, employees, posts
from accounts.store.delegations import delegation_of
from accounts.store.locks import hold

ADD_EMPLOYEE = """
    INSERT INTO employees (employee_id, name, org_id, org_path, region_code)
    VALUES (:employee_id, :sealed_name, :org_id, :org_path, :region_code)
    RETURNING 1
"""
ADD_POST = """
    INSERT INTO posts (post_id, employee_id, org_id, org_path, region_code, title, permissions, rank,
        valid_from, valid_until, version, line)
    VALUES (:post_id, :employee_id, :org_id, :org_path, :region_code, :title, :permissions, :rank,
        :valid_from, :valid_until, :version, :line)
    RETURNING 1
"""
CHANGE_POST = """
    UPDATE posts SET rank = :rank, valid_until = :valid_until, version = :version
    WHERE post_id = :post_id AND version = :version_before
    RETURNING 1
"""
# Every body below each of some, along the professional line.
LINES = text("""
    WITH RECURSIVE below (head, org_id) AS (
        SELECT line_parent_id, org_id FROM organisations WHERE line_parent_id = ANY (:heads)
        UNION ALL
        SELECT below.head, o.org_id FROM below JOIN organisations o ON o.line_parent_id = below.org_id
    )
    SELECT below.head, o.org_path FROM below JOIN organisations o USING (org_id) ORDER BY o.org_path
""")


class Employees:
    """Who works for which organisation."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, employee_id: UUID) -> None:
        """Let nobody else enter this employee meanwhile."""
        await hold(self._unit, f"employees:{employee_id}")

    def add(self, employee: Employee) -> None:
        """Keep a new employee."""
        self._unit.write(
            "add_employee",
            ADD_EMPLOYEE,
            rows=1,
            employee_id=employee.employee_id,
            sealed_name=self._unit.keys.seal(employee.name.encode(), bound=_bound(employee.employee_id)),
            org_id=employee.org_id,
            org_path=employee.org_path,
            region_code=employee.region_code,
        )

    async def find(self, employee_id: UUID) -> Employee | None:
        """Load an employee, whoever asks: for a rule, not for a reader."""
        statement = select(employees).where(employees.c.employee_id == employee_id)
        row = (await self._unit.connection.execute(statement)).one_or_none()
        return None if row is None else self._employee(row)

    async def get(self, employee_id: UUID) -> Employee:
        """Load an employee whom the caller may see."""
        statement = select(employees).where(employees.c.employee_id == employee_id, self._scope())
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise EmployeeNotFound(employee_id=employee_id)
        return self._employee(row)

    async def page(self, *, cursor: str | None, size: int) -> Page[Employee]:
        """List the employees whom the caller may see."""
        statement = select(employees).where(self._scope()).order_by(employees.c.employee_id).limit(size + 1)
        if cursor is not None:
            statement = statement.where(employees.c.employee_id > decode(cursor, UUID)[0])
        rows = await self._unit.connection.execute(statement)
        return cut([self._employee(row) for row in rows], size, lambda employee: (employee.employee_id,))

    def _scope(self) -> Any:
        return visible(self._unit.actor, region=employees.c.region_code, org=employees.c.org_path)

    def _employee(self, row: Row[Any]) -> Employee:
        return Employee(
            employee_id=row.employee_id,
            name=self._unit.keys.open(row.name, bound=_bound(row.employee_id)).decode(),
            org_id=row.org_id,
            org_path=row.org_path,
            region_code=row.region_code,
        )


class Posts:
    """Who holds which post."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def hold(self, post_id: UUID) -> None:
        """Let nobody else give this post meanwhile."""
        await hold(self._unit, f"posts:{post_id}")

    def add(self, post: Post) -> None:
        """Keep a new post."""
        self._unit.write(
            "add_post",
            ADD_POST,
            rows=1,
            post_id=post.post_id,
            employee_id=post.employee_id,
            org_id=post.org_id,
            org_path=post.org_path,
            region_code=post.region_code,
            title=post.title,
            permissions=list(post.permissions),
            rank=post.rank,
            valid_from=post.valid_from,
            valid_until=post.valid_until,
            version=post.version,
            line=post.line,
        )

    def change(self, post: Post) -> None:
        """Keep that a post has ended, or has another rank."""
        self._unit.write(
            "change_post",
            CHANGE_POST,
            rows=1,
            post_id=post.post_id,
            rank=post.rank,
            valid_until=post.valid_until,
            version=post.version,
            version_before=post.version - 1,
        )

    async def find(self, post_id: UUID) -> Post | None:
        """Load a post, whoever asks: for a rule, not for a reader."""
        row = (await self._unit.connection.execute(select(posts).where(posts.c.post_id == post_id))).one_or_none()
        return None if row is None else _post(row)

    async def get(self, post_id: UUID) -> Post:
        """Load a post that something else names."""
        post = await self.find(post_id)
        if post is None:
            raise PostNotFound(post_id=post_id)
        return post

    async def lock(self, post_id: UUID) -> Post:
        """Load a post within the caller's scope, to change it."""
        scope = visible(self._unit.actor, region=posts.c.region_code, org=posts.c.org_path)
        statement = select(posts).where(posts.c.post_id == post_id, scope).with_for_update()
        row = (await self._unit.connection.execute(statement)).one_or_none()
        if row is None:
            raise PostNotFound(post_id=post_id)
        return _post(row)

    async def of_employee(self, employee_id: UUID) -> list[Post]:
        """Load an employee's posts, own and lent, past ones included."""
        return await posts_of(self._unit.connection, employee_id)

    async def touched_by(self, employee_id: UUID) -> list[Post]:
        """Load an employee's posts, and what those act in whom he or she lent them to."""
        held = await posts_of(self._unit.connection, employee_id)
        rows = await self._unit.connection.execute(select(delegations).where(delegations.c.delegator_id == employee_id))
        by_id = {post.post_id: post for post in held}
        return held + [lent(each, by_id[each.post_id]) for each in map(delegation_of, rows)]

    async def visible(self, post_ids: Collection[UUID]) -> list[Post]:
        """Load those of the posts, own or lent, that the caller may see and whose holders are let in."""
        lent_ones = [
            delegation_of(row)
            for row in await self._unit.connection.execute(
                select(delegations).where(
                    delegations.c.delegation_id.in_(post_ids),
                    ~_away(delegations.c.delegator_id),
                    ~_away(delegations.c.delegate_id),
                )
            )
        ]
        asked = {*post_ids, *(each.post_id for each in lent_ones)}
        found = {post.post_id: post for post in await self._visible(posts.c.post_id.in_(asked))}
        lenders = [(each, found[each.post_id]) for each in lent_ones if each.post_id in found]
        return [post for post_id, post in found.items() if post_id in post_ids] + [lent(*each) for each in lenders]

    async def visible_in(self, org_ids: Collection[UUID]) -> list[Post]:
        """Load the posts of organisations that the caller may see and whose holders are let in."""
        return await self._visible(posts.c.org_id.in_(org_ids))

    async def visible_of(self, employee_id: UUID) -> list[Post]:
        """Load those posts of an employee that the caller may see."""
        scope = visible(self._unit.actor, region=posts.c.region_code, org=posts.c.org_path)
        rows = await self._unit.connection.execute(
            select(posts).where(posts.c.employee_id == employee_id, scope).order_by(posts.c.rank, posts.c.post_id)
        )
        return [_post(row) for row in rows]

    async def _visible(self, wanted: ColumnElement[bool]) -> list[Post]:
        scope = visible(self._unit.actor, region=posts.c.region_code, org=posts.c.org_path)
        statement = select(posts).where(wanted, scope, ~_away(posts.c.employee_id))
        ordered = statement.order_by(posts.c.org_path, posts.c.rank, posts.c.post_id)
        return [_post(row) for row in await self._unit.connection.execute(ordered)]


def _away(employee_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Say whether an employee is not let in."""
    return exists().where(accounts.c.account_id == employee_id, accounts.c.state != "active")


async def posts_of(connection: AsyncConnection, employee_id: UUID) -> list[Post]:
    """Load an employee's posts, those lent to him or her after the own ones, past ones included."""
    rows = await connection.execute(select(posts).where(posts.c.employee_id == employee_id).order_by(posts.c.rank))
    own = [_post(row) for row in rows]
    # Nobody acts for whom is not let in.
    mine = delegations.c.delegate_id == employee_id
    rows = await connection.execute(select(delegations).where(mine, ~_away(delegations.c.delegator_id)))
    given = [delegation_of(row) for row in rows]
    if given:
        asked = posts.c.post_id.in_([each.post_id for each in given])
        lenders = {row.post_id: _post(row) for row in await connection.execute(select(posts).where(asked))}
        own += [lent(each, lenders[each.post_id]) for each in given]
    return await _with_lines(connection, own)


async def _with_lines(connection: AsyncConnection, found: list[Post]) -> list[Post]:
    """Name the bodies that posts of a line see below their own."""
    heads = {post.org_id for post in found if post.line}
    if not heads:
        return found
    below: dict[UUID, list[str]] = {head: [] for head in heads}
    for row in await connection.execute(LINES, {"heads": list(heads)}):
        below[row.head].append(row.org_path)
    return [replace(post, line_paths=tuple(below[post.org_id])) if post.line else post for post in found]


def _post(row: Row[Any]) -> Post:
    return Post(
        post_id=row.post_id,
        employee_id=row.employee_id,
        org_id=row.org_id,
        org_path=row.org_path,
        region_code=row.region_code,
        title=row.title,
        permissions=tuple(row.permissions),
        rank=row.rank,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        version=row.version,
        line=row.line,
    )


def _bound(employee_id: UUID) -> str:
    return f"employees.name:{employee_id}"
