"""The rules of the todo list (待办): what the sources tell is merged by version, and one officer claims.

Refusal
├── TodoAlreadyClaimed      another officer was first
├── TodoAlreadyDone         there is nothing left to do
└── NotFound
    └── TodoNotFound
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.errors import NotFound, Refusal


class TodoAlreadyClaimed(Refusal):
    """The todo was claimed by another officer."""


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
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Description:
    """What a todo is about and whose it is; only the fact that it is ready tells. No personal data."""

    title: str
    org_id: UUID
    org_path: str
    region_code: str
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when it is promised, and by when the law demands it; only the fact of acceptance tells."""

    promised: datetime | None
    statutory: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took it (认领)."""

    post_id: str
    post_title: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Todo:
    """A task of a department, as its source last told it, and who claimed it.

    `version` is the latest that the source told; what is described and due have versions of their own, because facts
    overtake each other. `revision` counts what the workbench itself changed. A todo not yet described stands for facts
    that came too early, and nobody sees it.
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
    done_at: datetime | None = None
    claim: Claim | None = None

    @property
    def state(self) -> State:
        """Tell in which list it stands."""
        if self.stage is Stage.DONE:
            return State.DONE
        return State.OPEN if self.claim is None else State.CLAIMED


@dataclass(frozen=True, slots=True)
class TodoView:
    """A todo as an officer of a post reads it."""

    todo_id: UUID
    source: str
    source_id: str
    title: str
    state: State
    stage: Stage
    org_id: UUID
    org_path: str
    region_code: str
    ready_at: datetime
    promised_due_at: datetime | None
    statutory_due_at: datetime | None
    done_at: datetime | None
    claimed_by: str | None
    claimed_at: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many todos a post sees in each list; `mine` are those it claimed and has not done."""

    open: int
    claimed: int
    done: int
    mine: int


def make_ready(todo: Todo, description: Description, *, version: int) -> Todo:
    """Learn that the task is ready."""
    if version > todo.described_version:
        todo = replace(todo, described_version=version, description=description)
    return _advance(todo, Stage.READY, version=version)


def accept(todo: Todo, deadlines: Deadlines, *, version: int) -> Todo:
    """Learn that the source accepted it (受理), and by when it is due."""
    if version > todo.due_version:
        todo = replace(todo, due_version=version, deadlines=deadlines)
    return _advance(todo, Stage.ACCEPTED, version=version)


def finish(todo: Todo, *, version: int, at: datetime) -> Todo:
    """Learn that nothing is left to do (办结)."""
    if version <= todo.version:
        return todo
    return replace(_advance(todo, Stage.DONE, version=version), done_at=at)


def claim(todo: Todo, *, post_id: str, post_title: str, at: datetime) -> Todo:
    """Take a todo (认领); who has it already keeps it, who comes second is told which post has it."""
    if todo.stage is Stage.DONE:
        raise TodoAlreadyDone(todo_id=str(todo.todo_id))
    if todo.claim is None:
        return replace(todo, claim=Claim(post_id, post_title, at), revision=todo.revision + 1)
    if todo.claim.post_id != post_id:
        raise TodoAlreadyClaimed(todo_id=str(todo.todo_id), post=todo.claim.post_title)
    return todo


def view(todo: Todo, *, post_id: str) -> TodoView:
    """Show a todo to a post."""
    what, due, claim = todo.description, todo.deadlines, todo.claim
    if what is None:
        raise TodoNotFound(todo_id=str(todo.todo_id))
    return TodoView(
        todo_id=todo.todo_id,
        source=todo.source,
        source_id=todo.source_id,
        title=what.title,
        state=todo.state,
        stage=todo.stage,
        org_id=what.org_id,
        org_path=what.org_path,
        region_code=what.region_code,
        ready_at=what.ready_at,
        promised_due_at=due.promised if due else None,
        statutory_due_at=due.statutory if due else None,
        done_at=todo.done_at,
        claimed_by=claim.post_title if claim else None,
        claimed_at=claim.claimed_at if claim else None,
        mine=claim is not None and claim.post_id == post_id,
    )


def _advance(todo: Todo, stage: Stage, *, version: int) -> Todo:
    return todo if version <= todo.version else replace(todo, version=version, stage=stage, done_at=None)
