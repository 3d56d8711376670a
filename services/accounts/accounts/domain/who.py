"""Who the caller is, as told to the caller."""

from dataclasses import dataclass

from accounts.domain.guardianship import Ward
from accounts.domain.person import PersonView
from accounts.domain.post import Employee, Post


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """The person with the children acted for, or the employee with the posts held now; neither for a service."""

    kind: str
    person: PersonView | None = None
    employee: Employee | None = None
    posts: tuple[Post, ...] = ()
    wards: tuple[Ward, ...] = ()


@dataclass(frozen=True, slots=True)
class EmployeeFile:
    """An employee with his or her posts, as far as the reader's scope goes."""

    employee: Employee
    posts: tuple[Post, ...]
