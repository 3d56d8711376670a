"""Who may do what: permissions are held by posts and by service accounts, never by persons."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from common.errors import Denied, StepUpNeeded

if TYPE_CHECKING:
    from common.auth import Actor


class Caller(Enum):
    """The kinds of caller that a verb may be opened to."""

    CITIZEN = "citizen"
    OFFICER = "officer"
    SERVICE = "service"


class CallerNotAllowed(Denied):
    """The verb is not open to this kind of caller."""


class PermissionMissing(Denied):
    """The post does not hold the permission."""


@dataclass(frozen=True, slots=True)
class Post:
    """An employee's place in an organisation, and what it may do (任职)."""

    id: str
    employee_id: str
    org_id: str
    org_path: str
    region_code: str
    permissions: frozenset[str]
    title: str = ""
    line_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permission:
    """A verb's name, the kinds of caller it is open to, and how strong and how recent a log-in it needs."""

    name: str
    callers: frozenset[Caller]
    acr: int = 1
    # seconds since the person last proved who he or she is; none: as long as the session lasts
    max_age: int | None = None


def check(actor: "Actor", permission: Permission) -> None:
    """Refuse an actor who may not; whether the object is his or hers is the scope's question."""
    if actor.kind not in permission.callers:
        raise CallerNotAllowed(permission=permission.name, caller=actor.kind.value)
    if actor.kind is Caller.OFFICER and (actor.post is None or permission.name not in actor.post.permissions):
        raise PermissionMissing(permission=permission.name)
    if actor.kind is Caller.SERVICE and permission.name not in actor.roles:
        raise PermissionMissing(permission=permission.name)
    # A service proves itself by its secret; the strength and age of a log-in are questions to people.
    if actor.kind is Caller.SERVICE:
        return
    if permission.max_age is not None and actor.proven_ago > permission.max_age:
        raise StepUpNeeded(acr=permission.acr, max_age=permission.max_age)
    if actor.acr < permission.acr:
        raise StepUpNeeded(acr=permission.acr)
