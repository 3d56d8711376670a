"""How todos are shown: what an officer reads of one, how many there are, which are looked for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from workbench.domain.todo import Colour, Kind, Stage, State, Todo, TodoNotFound


@dataclass(frozen=True, slots=True)
class TodoView:
    """A todo as an officer of a post reads it."""

    todo_id: UUID
    source: str
    source_id: str
    kind: Kind
    matter_code: str
    item_code: str
    title: str
    state: State
    stage: Stage
    org_id: UUID
    org_path: str
    region_code: str
    ready_at: datetime
    promised_due_at: datetime | None
    statutory_due_at: datetime | None
    colour: Colour | None
    done_at: datetime | None
    claimed_by: str | None
    claimed_at: datetime | None
    waiting_since: datetime | None
    waiting_until: datetime | None
    returned_by: str | None
    return_reason: str | None
    mine: bool
    # Counts what the workbench changed: whoever reassigns names the revision that was seen.
    revision: int
    # Seen along the professional line (条): to look at, not to work on.
    in_line: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one todo of many: as it is now, or why it stayed as it was."""

    todo_id: UUID
    todo: TodoView | None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class LineCounts:
    """How many todos the bodies below have in each list: told apart from the department's own."""

    open: int
    claimed: int
    waiting: int
    done: int
    yellow: int
    red: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many todos a post sees in each list; `mine` are those it claimed and has in hand.

    `yellow` and `red` are those in the department's hands whose due time is near, or over; `done` are those of the
    last 30 days, as counting all would take longer each year.
    """

    open: int
    claimed: int
    waiting: int
    done: int
    mine: int
    yellow: int
    red: int
    # Of the bodies that the post guides along the professional line (条); None when it guides none.
    line: LineCounts | None


@dataclass(frozen=True, slots=True)
class Search:
    """Which todos of a state are looked for; what is None does not matter."""

    state: State
    post_id: str | None = None
    colour: Colour | None = None
    kind: Kind | None = None
    matter_code: str | None = None
    item_code: str | None = None
    words: str | None = None
    # Those of the bodies below along the professional line, instead of the department's own.
    line: bool = False


def view(todo: Todo, *, post_id: str, at: datetime, in_line: bool = False) -> TodoView:
    """Show a todo to a post; along the line without what its officers wrote."""
    what, due, claim, returned = todo.description, todo.deadlines, todo.claim, todo.returned
    waiting = todo.waiting
    if what is None:
        raise TodoNotFound(todo_id=str(todo.todo_id))
    return TodoView(
        todo_id=todo.todo_id,
        source=todo.source,
        source_id=todo.source_id,
        kind=what.kind,
        matter_code=what.matter_code,
        item_code=what.item_code,
        title=what.title,
        state=todo.state,
        stage=todo.stage,
        org_id=what.org_id,
        org_path=what.org_path,
        region_code=what.region_code,
        ready_at=what.ready_at,
        promised_due_at=due.promised if due else None,
        statutory_due_at=due.statutory if due else None,
        colour=todo.colour(at),
        done_at=todo.done_at,
        claimed_by=claim.post_title if claim else None,
        claimed_at=claim.claimed_at if claim else None,
        waiting_since=waiting.since if waiting else None,
        waiting_until=waiting.until if waiting else None,
        returned_by=returned.post_title if returned else None,
        return_reason=returned.reason if returned and not in_line else None,
        mine=claim is not None and claim.post_id == post_id,
        revision=todo.revision,
        in_line=in_line,
    )
