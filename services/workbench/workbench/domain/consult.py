"""The rules of consulting another department (征求意见): a question, a day of its own, one answer.

Refusal
├── ConsultAlreadyAnswered   the answer stands
├── DepartmentUnknown        no such department answers for the region, or it is one's own
├── Invalid
│   └── DueUnfit             the day lies behind, or too far ahead
└── NotFound
    └── ConsultNotFound
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from common.errors import Invalid, NotFound, Refusal
from worktime import Calendar

LONGEST = timedelta(days=92)


class ConsultAlreadyAnswered(Refusal):
    """The consult was answered."""


class DepartmentUnknown(Refusal):
    """There is no such department to ask."""


class DueUnfit(Invalid):
    """The answer is asked for by a day of the coming three months."""


class ConsultNotFound(NotFound):
    """There is no such consult."""


@dataclass(frozen=True, slots=True)
class Department:
    """An organisation that can be asked."""

    org_id: UUID
    name: str
    org_path: str
    region_code: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the department answered."""

    text: str
    answered_by: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Consult:
    """A question about a todo to another department."""

    consult_id: UUID
    todo_id: UUID
    asker_post_id: str
    asker_post_title: str
    asker_org_id: UUID
    department: Department
    question: str
    asked_at: datetime
    due_at: datetime
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class ConsultView:
    """A consult as both sides read it."""

    consult_id: UUID
    todo_id: UUID
    asked_by: str
    department: str
    question: str
    asked_at: datetime
    due_at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


def due_on(day: date, *, at: datetime, calendar: Calendar) -> datetime:
    """Give the moment by which an answer is asked for: the end of office hours of the day."""
    today = calendar.local(at).date()
    if not today < day <= today + LONGEST:
        raise DueUnfit
    return calendar.close_of(day).astimezone(UTC)


def answer(consult: Consult, text: str, *, answered_by: str, at: datetime) -> Consult:
    """Answer a consult, once."""
    if consult.answer is not None:
        raise ConsultAlreadyAnswered(consult_id=str(consult.consult_id))
    return replace(consult, answer=Answer(text, answered_by, at))


def show(consult: Consult) -> ConsultView:
    """Show a consult."""
    given = consult.answer
    return ConsultView(
        consult_id=consult.consult_id,
        todo_id=consult.todo_id,
        asked_by=consult.asker_post_title,
        department=consult.department.name,
        question=consult.question,
        asked_at=consult.asked_at,
        due_at=consult.due_at,
        answer=given.text if given else None,
        answered_by=given.answered_by if given else None,
        answered_at=given.answered_at if given else None,
    )
