"""A filing (一件事申请): what the applicant hands in, and the cases it is split into.

Every act takes the filing with all its cases and gives the filing as it is after, with the facts that happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from worktime import Calendar

from orchestration.domain import case as rules
from orchestration.domain.case import Case, Status
from orchestration.domain.definition import Needs
from orchestration.domain.plan import Draft, Plan
from orchestration.domain.refusals import (
    CaseNotApproved,
    CaseNotFound,
    FilingAlreadyArchived,
    FilingAlreadySubmitted,
    FilingProposed,
    ProposalEnded,
)
from orchestration.domain.watch import Alarm


class State(StrEnum):
    """How far a filing is."""

    DRAFT = "draft"
    # filled in advance, and waiting for its person to confirm; or declined, or not confirmed in time
    PROPOSED = "proposed"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    ARCHIVED = "archived"


# as long as nobody but the applicant has seen it
UNSUBMITTED = frozenset({State.DRAFT, State.PROPOSED})


@dataclass(frozen=True, slots=True)
class Filing:
    """A filing with its cases; `open_cases` counts those that are not settled."""

    id: str
    matter_code: str
    matter_version: int
    region_code: str
    applicant_id: str
    state: State = State.DRAFT
    no: str | None = None
    revision: int = 1
    version: int = 1
    open_cases: int = 0
    cases: tuple[Case, ...] = ()
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    closed_at: datetime | None = None
    # Who acts, when the applicant is a legal person (经办人).
    agent_id: str | None = None

    @property
    def on_behalf_of(self) -> str | None:
        """The legal person whose filing it is, if it is one's."""
        return self.applicant_id if self.agent_id else None

    @property
    def told_id(self) -> str:
        """The person who is told how the filing goes."""
        return self.agent_id or self.applicant_id

    @property
    def is_archived(self) -> bool:
        return self.state is State.ARCHIVED

    def case(self, case_id: str) -> Case:
        for case in self.cases:
            if case.id == case_id:
                return case
        raise CaseNotFound(case_id=case_id)


@dataclass(frozen=True, slots=True)
class Content:
    """What the applicant wrote; it is sealed wherever it rests."""

    form: Mapping[str, Any]
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dossier:
    """A filing with what it is about: the matter's name, the content, and the plan that was last shown or submitted."""

    filing: Filing
    matter_name: str
    content: Content
    plan: Plan | None = None
    # Of the case that an act is on: what changed of the evidence it stands on.
    alarms: tuple[Alarm, ...] = ()
    # Which attachments were uploaded for which requirement.
    uploaded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def draft(self) -> Draft:
        filing, content = self.filing, self.content
        return Draft(filing.revision, filing.applicant_id, content.answers, content.form, self.uploaded)


class Happened(StrEnum):
    """The facts that acts on a filing bring about."""

    FILING_SUBMITTED = "filing_submitted"
    FILING_CLOSED = "filing_closed"
    FILING_ARCHIVED = "filing_archived"
    CASE_READY = "case_ready"
    CASE_ACCEPTED = "case_accepted"
    CASE_DECIDED = "case_decided"
    CASE_PRUNED = "case_pruned"
    CASE_RESULT_ISSUED = "case_result_issued"
    CASE_DECLINED = "case_declined"
    CASE_WITHDRAWN = "case_withdrawn"
    CASE_TERMINATED = "case_terminated"
    CASE_SUPPLEMENT_REQUESTED = "case_supplement_requested"
    CASE_SUPPLEMENTED = "case_supplemented"
    CASE_CORRECTED = "case_corrected"
    CASE_DUE_CHANGED = "case_due_changed"
    CASE_PROMISED_OVERDUE = "case_promised_overdue"
    CASE_STATUTORY_OVERDUE = "case_statutory_overdue"


@dataclass(frozen=True, slots=True)
class Fact:
    """That something happened to the filing, or to one of its cases."""

    happened: Happened
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The filing after an act, the cases that the act changed, and what happened, in order."""

    filing: Filing
    changed: tuple[Case, ...]
    facts: tuple[Fact, ...]


def refuse_unless_draft(filing: Filing) -> None:
    if filing.state is State.PROPOSED:
        raise FilingProposed(filing_id=filing.id)
    refuse_unless_unsubmitted(filing)


def refuse_unless_unsubmitted(filing: Filing) -> None:
    if filing.state in {State.DECLINED, State.EXPIRED}:
        raise ProposalEnded(filing_id=filing.id)
    if filing.state not in UNSUBMITTED:
        raise FilingAlreadySubmitted(filing_id=filing.id)


def refuse_archived(filing: Filing) -> None:
    if filing.is_archived:
        raise FilingAlreadyArchived(filing_id=filing.id)


def submit(filing: Filing, *, no: str, cases: Sequence[Case], at: datetime) -> Step:
    """Hand in a draft (提交): its cases come into being, those that wait for nothing are ready."""
    refuse_unless_unsubmitted(filing)
    made = tuple(
        replace(case, status=Status.WAITING) if case.waits_for else replace(case, status=Status.READY, ready_at=at)
        for case in (replace(case, open_dependencies=len(case.waits_for)) for case in cases)
    )
    submitted = replace(
        filing,
        state=State.SUBMITTED,
        no=no,
        version=filing.version + 1,
        cases=made,
        open_cases=len(made),
        submitted_at=at,
    )
    ready = (Fact(Happened.CASE_READY, case) for case in made if case.status is Status.READY)
    return Step(submitted, made, (Fact(Happened.FILING_SUBMITTED), *ready))


def accept(filing: Filing, case_id: str, *, at: datetime, calendar: Calendar) -> Step:
    """The department takes responsibility for a case (受理)."""
    accepted = rules.accept(filing.case(case_id), at=at, calendar=calendar)
    return settled(filing, {accepted.item: accepted}, [Fact(Happened.CASE_ACCEPTED, accepted)], at)


def approve(filing: Filing, case_id: str, *, at: datetime) -> Step:
    """The department approves a case (准予); those that waited for nothing else become ready."""
    approved = rules.decide(filing.case(case_id), Status.APPROVED, at=at)
    changed = {approved.item: approved}
    facts = [Fact(Happened.CASE_DECIDED, approved)]
    _release(filing, changed, facts, approved.item, at)
    return settled(filing, changed, facts, at)


def refuse(filing: Filing, case_id: str, *, reason_code: str, at: datetime) -> Step:
    """The department refuses a case (不予批准); those that need its approval leave the filing, and so on from them."""
    refused = rules.decide(filing.case(case_id), Status.REFUSED, at=at, reason_code=reason_code)
    return end(filing, refused, Happened.CASE_DECIDED, at)


def change_one(filing: Filing, case: Case, happened: Happened, at: datetime) -> Step:
    """Change one case in a way that touches no other."""
    return settled(filing, {case.item: case}, [Fact(happened, case)], at)


def end(filing: Filing, lost: Case, happened: Happened, at: datetime) -> Step:
    """Let go of what needs the approval of a case that ended without it, and free what only waited for its end."""
    changed = {lost.item: lost}
    facts = [Fact(happened, lost)]
    ended = [lost.item]
    while ended:
        item = ended.pop(0)
        for case in filing.cases:
            # Those that were withdrawn before stay as they are.
            if case.item in changed or case.status is not Status.WAITING:
                continue
            if any(d.item == item and d.needs is Needs.APPROVAL for d in case.waits_for):
                changed[case.item] = rules.prune(case, at=at)
                facts.append(Fact(Happened.CASE_PRUNED, changed[case.item]))
                ended.append(case.item)
    for item in tuple(changed):
        _release(filing, changed, facts, item, at)
    return settled(filing, changed, facts, at)


def record_result(filing: Filing, case_id: str, *, licence_id: str, at: datetime) -> Step:
    """The licence that a case results in was issued; the same news again changes nothing."""
    case = filing.case(case_id)
    if case.status is Status.CERTIFICATE_MADE:
        return Step(filing, (), ())
    if case.status is not Status.APPROVED or not case.gives_licence:
        raise CaseNotApproved(case_id=case_id)
    made = replace(case, status=Status.CERTIFICATE_MADE, version=case.version + 1, licence_id=licence_id)
    return settled(filing, {made.item: made}, [Fact(Happened.CASE_RESULT_ISSUED, made)], at)


def _release(filing: Filing, changed: dict[str, Case], facts: list[Fact], ended: str, at: datetime) -> None:
    """Count down those that waited for the ended item; the last one it waited for makes a case ready."""
    for case in filing.cases:
        now = changed.get(case.item, case)
        if now.status is not Status.WAITING or not any(dependency.item == ended for dependency in case.waits_for):
            continue
        now = replace(now, open_dependencies=now.open_dependencies - 1)
        if now.open_dependencies == 0:
            now = rules.make_ready(now, at=at)
            facts.append(Fact(Happened.CASE_READY, now))
        changed[case.item] = now


def settled(filing: Filing, changed: dict[str, Case], facts: list[Fact], at: datetime) -> Step:
    """Put the changed cases in, recount, and close the filing when nothing is open."""
    cases = tuple(changed.get(case.item, case) for case in filing.cases)
    after = replace(
        filing,
        cases=cases,
        version=filing.version + 1,
        open_cases=sum(not case.is_settled for case in cases),
    )
    if after.open_cases == 0 and filing.state is State.SUBMITTED:
        after = replace(after, state=State.CLOSED, closed_at=at)
        facts = [*facts, Fact(Happened.FILING_CLOSED)]
    return Step(after, tuple(changed.values()), tuple(facts))
