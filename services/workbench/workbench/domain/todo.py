"""The rules of the todo list (待办): what the sources tell is merged by version, and one officer claims.

Refusal
├── TodoAlreadyClaimed      another officer was first
├── TodoNotClaimed          nobody has it: there is nothing to give back
├── TodoAlreadyDone         there is nothing left to do
├── PostOutside           work stays within its organisation
├── Conflict
│   └── TodoChanged         somebody moved it meanwhile
└── NotFound
    └── TodoNotFound
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.errors import Conflict, NotFound, Refusal
from worktime import Calendar, working_days_between

# A todo is yellow when at most this part of its limit is left, or one working day (domain handbook 6.1).
YELLOW_PART = 5


class TodoAlreadyClaimed(Refusal):
    """The todo was claimed by another officer."""


class TodoNotClaimed(Refusal):
    """Nobody has claimed the todo."""


class PostOutside(Refusal):
    """The post belongs to another organisation than the todo, or is not held."""


class TodoChanged(Conflict):
    """The todo was claimed, given back or reassigned meanwhile."""


class TodoAlreadyDone(Refusal):
    """The todo is done."""


class TodoNotFound(NotFound):
    """There is no such todo."""


class Stage(StrEnum):
    """How far the task has come at its source."""

    READY = "ready"
    ACCEPTED = "accepted"
    DONE = "done"


class State(StrEnum):
    """In which of the lists a todo stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    WAITING = "waiting"
    DONE = "done"


class Kind(StrEnum):
    """What sort of work it is."""

    CASE = "case"
    CONSULT = "consult"


class Colour(StrEnum):
    """How near the promised due time is (红黄灯)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Description:
    """What a todo is about and whose it is; only the fact that it is ready tells. No personal data."""

    title: str
    org_id: UUID
    org_path: str
    region_code: str
    ready_at: datetime
    matter_code: str = ""
    item_code: str = ""
    kind: Kind = Kind.CASE


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when it is promised, and by when the law demands it; only the fact of acceptance tells.

    `yellow_at` and `remind_at` follow from the promise: when it turns yellow, and when its officer is reminded.
    """

    promised: datetime | None
    statutory: datetime | None
    yellow_at: datetime | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when the applicant has it in hand (补正), and until when."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took it (认领)."""

    post_id: str
    post_title: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """Who gave it back last (退回), and why."""

    post_title: str
    reason: str
    returned_at: datetime


@dataclass(frozen=True, slots=True)
class Colleague:
    """The post that a todo is given to."""

    post_id: str
    title: str
    org_id: str


@dataclass(frozen=True, slots=True)
class Todo:
    """A task of a department, as its source last told it, and who claimed it.

    `version` is the latest that the source told; what is described, due and waited for have versions of their own,
    because facts overtake each other. `revision` counts what the workbench itself changed. A todo not yet described
    stands for facts that came too early, and nobody sees it.
    """

    todo_id: UUID
    source: str
    source_id: str
    version: int
    stage: Stage
    revision: int = 0
    described_version: int = 0
    description: Description | None = None
    due_version: int = 0
    deadlines: Deadlines | None = None
    waiting_version: int = 0
    waiting: Waiting | None = None
    done_at: datetime | None = None
    claim: Claim | None = None
    returned: Return | None = None

    @property
    def state(self) -> State:
        """Tell in which list it stands."""
        if self.stage is Stage.DONE:
            return State.DONE
        if self.waiting is not None:
            return State.WAITING
        return State.OPEN if self.claim is None else State.CLAIMED

    def colour(self, at: datetime) -> Colour | None:
        """Tell how near the promise is; what is done, or waits for the applicant, has no colour."""
        due = self.deadlines
        if self.state in {State.DONE, State.WAITING}:
            return None
        if due is None or due.promised is None or due.yellow_at is None or at < due.yellow_at:
            return Colour.GREEN
        return Colour.YELLOW if at <= due.promised else Colour.RED


def deadlines_of(
    promised: datetime | None, statutory: datetime | None, *, accepted_at: datetime, calendar: Calendar
) -> Deadlines:
    """Derive from the promise when a todo turns yellow and when its officer is reminded."""
    if promised is None:
        return Deadlines(None, statutory)
    last = calendar.local(promised).date()
    limit = working_days_between(calendar.local(accepted_at).date(), last, calendar)

    def before(working_days: int) -> datetime:
        return calendar.close_of(calendar.nth(calendar.rank(last) - working_days))

    return Deadlines(promised, statutory, yellow_at=before(max(1, limit // YELLOW_PART)), remind_at=before(1))


def make_ready(todo: Todo, description: Description, *, version: int) -> Todo:
    """Learn that the task is ready."""
    if version > todo.described_version:
        todo = replace(todo, described_version=version, description=description)
    return _advance(wait(todo, None, version=version), Stage.READY, version=version)


def accept(todo: Todo, deadlines: Deadlines, *, version: int) -> Todo:
    """Learn that the source accepted it (受理), and by when it is due."""
    if version > todo.due_version:
        todo = replace(todo, due_version=version, deadlines=deadlines)
    return _advance(todo, Stage.ACCEPTED, version=version)


def wait(todo: Todo, waiting: Waiting | None, *, version: int) -> Todo:
    """Learn that the applicant has it in hand (补正), or has no longer; whoever claimed it keeps it meanwhile."""
    return replace(todo, waiting_version=version, waiting=waiting) if version > todo.waiting_version else todo


def finish(todo: Todo, *, version: int, at: datetime) -> Todo:
    """Learn that nothing is left to do (办结)."""
    if version <= todo.version:
        return todo
    return replace(_advance(wait(todo, None, version=version), Stage.DONE, version=version), done_at=at)


def claim(todo: Todo, *, post_id: str, post_title: str, at: datetime) -> Todo:
    """Take a todo (认领); who has it already keeps it, who comes second is told which post has it."""
    if todo.stage is Stage.DONE:
        raise TodoAlreadyDone(todo_id=str(todo.todo_id))
    if todo.claim is None:
        return replace(todo, claim=Claim(post_id, post_title, at), revision=todo.revision + 1)
    if todo.claim.post_id != post_id:
        raise TodoAlreadyClaimed(todo_id=str(todo.todo_id), post=todo.claim.post_title)
    return todo


def give_back(todo: Todo, *, post_id: str, reason: str, at: datetime) -> Todo:
    """Give a claimed todo back (退回), with a reason; it is open again for everybody."""
    if todo.stage is Stage.DONE:
        raise TodoAlreadyDone(todo_id=str(todo.todo_id))
    if todo.claim is None:
        raise TodoNotClaimed(todo_id=str(todo.todo_id))
    if todo.claim.post_id != post_id:
        raise TodoAlreadyClaimed(todo_id=str(todo.todo_id), post=todo.claim.post_title)
    returned = Return(todo.claim.post_title, reason, at)
    return replace(todo, claim=None, returned=returned, revision=todo.revision + 1)


def release(todo: Todo, *, reason: str, at: datetime) -> Todo:
    """Take a todo from a post that is held no longer; it is open again for everybody."""
    if todo.claim is None or todo.stage is Stage.DONE:
        return todo
    returned = Return(todo.claim.post_title, reason, at)
    return replace(todo, claim=None, returned=returned, revision=todo.revision + 1)


def reassign(todo: Todo, to: Colleague, *, revision: int, at: datetime) -> Todo:
    """Hand a todo to another post of its organisation (转办), unless somebody moved it since it was seen."""
    if todo.stage is Stage.DONE:
        raise TodoAlreadyDone(todo_id=str(todo.todo_id))
    if todo.revision != revision:
        raise TodoChanged(todo_id=str(todo.todo_id), revision=todo.revision)
    if todo.description is None or str(todo.description.org_id) != to.org_id:
        raise PostOutside(todo_id=str(todo.todo_id))
    if todo.claim is not None and todo.claim.post_id == to.post_id:
        return todo
    return replace(todo, claim=Claim(to.post_id, to.title, at), revision=todo.revision + 1)


def _advance(todo: Todo, stage: Stage, *, version: int) -> Todo:
    return todo if version <= todo.version else replace(todo, version=version, stage=stage, done_at=None)
