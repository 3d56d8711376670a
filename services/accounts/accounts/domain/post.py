"""Employees (工作人员) and their posts (任职): permissions belong to the post, for as long as it is held.

Refusal
├── EmployeeAlreadyKnown   the id belongs to a record with other content
├── PostAlreadyGiven       the id belongs to a record with other content
├── PostAlreadyEnded
└── PostEndsBeforeItBegins
Denied
├── PostNotHeld            the employee does not hold this post now
└── OwnPost                nobody gives a post to himself or herself
NotFound
├── EmployeeNotFound
└── PostNotFound
Invalid
└── EmployeeUnknown · OrganisationUnknown   what the request names does not exist for the caller
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from common.errors import Denied, Invalid, NotFound, Refusal

from accounts.domain.organisation import Organisation

# What everybody who works here may: ask who one is, and in which post one acts.
EVERY_POST = frozenset({"accounts:who_am_i", "accounts:resolve_post"})
FIRST_VERSION = 1


class EmployeeAlreadyKnown(Refusal):
    """An employee with this id exists with other content."""


class PostAlreadyGiven(Refusal):
    """A post with this id exists with other content."""


class PostAlreadyEnded(Refusal):
    """The post has ended."""


class PostEndsBeforeItBegins(Refusal):
    """A post ends after it begins."""


class PostNotHeld(Denied):
    """The employee does not hold this post."""


class OwnPost(Denied):
    """Nobody gives a post to himself or herself, nor ends it."""


class EmployeeNotFound(NotFound):
    """There is no such employee."""


class PostNotFound(NotFound):
    """There is no such post."""


class EmployeeUnknown(Invalid):
    """The employee named is not known."""


class OrganisationUnknown(Invalid):
    """The organisation named is not known, or outside the caller's scope."""


@dataclass(frozen=True, slots=True)
class Employee:
    """A person who works for an organisation."""

    employee_id: UUID
    name: str = field(repr=False)
    org_id: UUID
    org_path: str
    region_code: str


@dataclass(frozen=True, slots=True)
class Post:
    """One employee's place in one organisation."""

    post_id: UUID
    employee_id: UUID
    org_id: UUID
    org_path: str
    region_code: str
    title: str
    permissions: tuple[str, ...]
    # The post of lowest rank is the one acted in when none is named.
    rank: int
    valid_from: datetime
    valid_until: datetime | None
    version: int
    # Set on a post that was lent: the post of whom one acts for (代理).
    acts_for_post_id: UUID | None = None
    # Whether it sees the bodies below its own along the professional line (条), and which they are now.
    line: bool = False
    line_paths: tuple[str, ...] = ()

    def is_held(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def same_content(self, other: "Post") -> bool:
        """Say whether both give the same; when it began is not compared: a repeated request comes later."""
        return replace(self, valid_from=other.valid_from, version=other.version) == other


def employ(employee_id: UUID, *, name: str, organisation: Organisation) -> Employee:
    return Employee(
        employee_id=employee_id,
        name=name,
        org_id=organisation.org_id,
        org_path=organisation.org_path,
        region_code=organisation.region_code,
    )


def give(
    post_id: UUID,
    *,
    employee: Employee,
    organisation: Organisation,
    title: str,
    permissions: Iterable[str],
    rank: int,
    line: bool = False,
    valid_from: datetime,
    valid_until: datetime | None,
) -> Post:
    """Give an employee a post."""
    if valid_until is not None and valid_until <= valid_from:
        raise PostEndsBeforeItBegins
    return Post(
        post_id=post_id,
        employee_id=employee.employee_id,
        org_id=organisation.org_id,
        org_path=organisation.org_path,
        region_code=organisation.region_code,
        title=title,
        permissions=tuple(sorted({*permissions, *EVERY_POST})),
        rank=rank,
        valid_from=valid_from,
        valid_until=valid_until,
        version=FIRST_VERSION,
        line=line,
    )


def end(post: Post, *, at: datetime) -> Post:
    """End a post; one that has not begun ends before it begins, and is never held."""
    if post.valid_until is not None and post.valid_until <= at:
        raise PostAlreadyEnded(post_id=post.post_id)
    return replace(post, valid_until=max(at, post.valid_from), version=post.version + 1)


def rank(post: Post, number: int) -> Post:
    """Give a post another place among those of its employee."""
    return post if post.rank == number else replace(post, rank=number, version=post.version + 1)


def held(posts: Iterable[Post], at: datetime) -> list[Post]:
    """List the posts held now, by rank."""
    return sorted((post for post in posts if post.is_held(at)), key=lambda post: (post.rank, post.post_id))


def resolve(posts: Iterable[Post], post_id: UUID | None, at: datetime) -> Post:
    """Choose the post to act in: the one named, or the first by rank."""
    for post in held(posts, at):
        if post_id is None or post.post_id == post_id:
            return post
    raise PostNotHeld
