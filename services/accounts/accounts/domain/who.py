"""Who the caller is, as told to the caller."""

from dataclasses import dataclass

from accounts.domain.person import PersonView
from accounts.domain.post import Employee, Post


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """The person, or the employee with the posts held now; nothing of either for a service."""

    kind: str
    person: PersonView | None = None
    employee: Employee | None = None
    posts: tuple[Post, ...] = ()


@dataclass(frozen=True, slots=True)
class EmployeeFile:
    """An employee with his or her posts, as far as the reader's scope goes."""

    employee: Employee
    posts: tuple[Post, ...]
