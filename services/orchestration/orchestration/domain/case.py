"""A case (办件): one item of a filing, legally on its own. Its states and what moves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from worktime import Calendar, Clock, Due

from orchestration.domain.definition import Dependency
from orchestration.domain.plan import Material
from orchestration.domain.refusals import (
    AbsenceOpen,
    CaseAlreadyAccepted,
    CaseAlreadyDecided,
    CaseNotAccepted,
    CaseNotReady,
    ClockStopped,
    SupplementOpen,
)
from orchestration.domain.terms import USUAL_TERMS, Absence, Pause, Supplement, Terms


class Status(StrEnum):
    """The legal status of a case (domain handbook 6)."""

    WAITING = "waiting"
    READY = "ready"
    SUPPLEMENT = "supplement_requested"
    ACCEPTED = "accepted"
    SPECIAL = "special_procedure"
    APPROVED = "approved"
    REFUSED = "refused"
    PRUNED = "pruned"
    CERTIFICATE_MADE = "certificate_made"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


WITH_DEPARTMENT = frozenset({Status.READY, Status.SUPPLEMENT, Status.ACCEPTED, Status.SPECIAL})
UNDECIDED = WITH_DEPARTMENT | {Status.WAITING}


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two limits of a case: what the department promised (承诺时限) and what the law sets (法定时限)."""

    promised: Clock
    statutory: Clock | None = None

    def started(self, at: datetime) -> "Clocks":
        return Clocks(self.promised.start(at), self.statutory.start(at) if self.statutory else None)

    def stopped(self, at: datetime, reason: str) -> "Clocks":
        return Clocks(self.promised.stop(at, reason), self.statutory.stop(at, reason) if self.statutory else None)

    def resumed(self, at: datetime) -> "Clocks":
        return Clocks(self.promised.resume(at), self.statutory.resume(at) if self.statutory else None)

    def extended(self, days: int, reason: str) -> "Clocks":
        return Clocks(
            self.promised.extend(days, reason), self.statutory.extend(days, reason) if self.statutory else None
        )

    def due(self, calendar: Calendar) -> tuple[Due | None, Due | None]:
        return self.promised.due(calendar), self.statutory.due(calendar) if self.statutory else None


@dataclass(frozen=True, slots=True)
class Case:
    """A case with all that its rules need; what the officer reads besides is in the store."""

    id: str
    no: str
    item: str
    item_name: str
    org_id: str
    org_path: str
    org_uscc: str
    region_code: str
    status: Status
    waits_for: tuple[Dependency, ...]
    open_dependencies: int
    gives_licence: bool
    clocks: Clocks
    version: int = 1
    materials: tuple[Material, ...] = ()
    ready_at: datetime | None = None
    accepted_at: datetime | None = None
    decided_at: datetime | None = None
    promised_due_at: datetime | None = None
    statutory_due_at: datetime | None = None
    due: Mapping[str, Any] = field(default_factory=dict)
    reason_code: str | None = None
    licence_id: str | None = None
    app: str | None = None
    competent_organ: str | None = None
    terms: Terms = USUAL_TERMS
    supplement: Supplement | None = None
    absence: Absence | None = None
    pause: Pause | None = None

    @property
    def is_settled(self) -> bool:
        """Nothing more will happen to it: it ended and its result, if any, was issued."""
        if self.status is Status.APPROVED:
            return not self.gives_licence
        return self.status not in UNDECIDED


def accept(case: Case, *, at: datetime, calendar: Calendar) -> Case:
    """Take responsibility for a case (受理); its clocks start."""
    match case.status:
        case Status.WAITING:
            raise CaseNotReady(case_id=case.id)
        case Status.READY:
            return timed(replace(case, status=Status.ACCEPTED, accepted_at=at), case.clocks.started(at), calendar)
        case Status.SUPPLEMENT:
            raise SupplementOpen(case_id=case.id)
        case Status.ACCEPTED | Status.SPECIAL:
            raise CaseAlreadyAccepted(case_id=case.id)
        case _:
            raise CaseAlreadyDecided(case_id=case.id)


def timed(case: Case, clocks: Clocks, calendar: Calendar) -> Case:
    """Give a case other clocks, with the due times that they tell and how those were counted."""
    promised, statutory = clocks.due(calendar)
    return replace(
        case,
        version=case.version + 1,
        clocks=clocks,
        promised_due_at=promised.at if promised else None,
        statutory_due_at=statutory.at if statutory else None,
        due={
            "promised": promised.as_dict() if promised else None,
            "statutory": statutory.as_dict() if statutory else None,
        },
    )


def decide(case: Case, status: Status, *, at: datetime, reason_code: str | None = None) -> Case:
    """Give an accepted case its outcome."""
    match case.status:
        case Status.ACCEPTED:
            if status is Status.APPROVED and case.absence is not None and case.absence.is_open:
                raise AbsenceOpen(case_id=case.id)
            return replace(case, status=status, version=case.version + 1, decided_at=at, reason_code=reason_code)
        case Status.WAITING | Status.READY | Status.SUPPLEMENT:
            raise CaseNotAccepted(case_id=case.id)
        case Status.SPECIAL:
            raise ClockStopped(case_id=case.id)
        case _:
            raise CaseAlreadyDecided(case_id=case.id)


def make_ready(case: Case, *, at: datetime) -> Case:
    return replace(case, status=Status.READY, version=case.version + 1, ready_at=at)


def prune(case: Case, *, at: datetime) -> Case:
    """Leave the filing undecided, as one that it needs was refused."""
    return replace(case, status=Status.PRUNED, version=case.version + 1, decided_at=at)
