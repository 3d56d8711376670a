"""A proposal (提示): a filing that another matter's case gave cause for, filled in advance, for its person to confirm.

Nothing of it leaves the person's sight before the confirmation: it has no cases, and no department reads it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from worktime import Calendar, due_date

from orchestration.domain.conditions import evaluate, is_true
from orchestration.domain.definition import Definition, ProposedBy
from orchestration.domain.filing import Content, Filing, State
from orchestration.domain.refusals import FieldFixed, ProposalEnded


@dataclass(frozen=True, slots=True)
class Offer:
    """What the source filing and its case's result offer to a proposal."""

    source: Filing
    case_id: str
    content: Content
    result: Mapping[str, Any]
    today: date

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "form": dict(self.content.form),
            "answers": dict(self.content.answers),
            "result": dict(self.result),
            "today": self.today.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which case a proposed filing was made after, which fields stand as they were filled, and until when it waits."""

    filing_id: str
    matter_code: str
    source_case_id: str
    source_filing_id: str
    filled: tuple[str, ...]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Proposed:
    """A filing as it is proposed."""

    filing: Filing
    proposal: Proposal
    content: Content


def propose(
    definition: Definition, version: int, offer: Offer, *, filing_id: str, at: datetime, calendar: Calendar
) -> Proposed | None:
    """The filing that a matter proposes to the source's applicant; None when its condition does not hold."""
    proposed = definition.proposed_by
    if proposed is None or not is_offered(proposed, offer):
        return None
    form = fill(proposed, offer)
    filing = Filing(
        id=filing_id,
        matter_code=definition.code,
        matter_version=version,
        region_code=offer.source.region_code,
        applicant_id=offer.source.applicant_id,
        agent_id=offer.source.agent_id,
        state=State.PROPOSED,
        created_at=at,
    )
    due_at = due_of(proposed, at, calendar)
    proposal = Proposal(filing_id, definition.code, offer.case_id, offer.source.id, tuple(sorted(form)), due_at)
    return Proposed(filing, proposal, Content(form=form, answers={}))


def is_offered(proposed: ProposedBy, offer: Offer) -> bool:
    """Whether the filing is proposed at all; a condition that is neither true nor false is refused, never guessed."""
    return proposed.when is None or is_true(proposed.when, offer.facts)


def fill(proposed: ProposedBy, offer: Offer) -> dict[str, Any]:
    """The form filled from the source; what the source does not have stays empty, and no other field is written."""
    found = {field: evaluate(expression, offer.facts) for field, expression in proposed.form.items()}
    return {field: value for field, value in found.items() if value is not None}


def due_of(proposed: ProposedBy, at: datetime, calendar: Calendar) -> datetime:
    """The end of the last working day on which it can be confirmed."""
    return calendar.close_of(due_date(calendar.local(at).date(), proposed.days, calendar))


def refuse_unless_open(filing: Filing, proposal: Proposal, *, at: datetime) -> None:
    """A proposal is confirmed, declined or changed once and in time, whether or not its timer has fired yet."""
    if filing.state is not State.PROPOSED or proposal.due_at <= at:
        raise ProposalEnded(filing_id=filing.id)


def refuse_fixed(changeable: Collection[str], anew: Collection[str]) -> None:
    """Only the fields that the definition names may be changed."""
    fixed = [field for field in anew if field not in changeable]
    if fixed:
        raise FieldFixed(fields=fixed)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields that are another, or there no more, or new."""
    gone = object()
    return sorted(field for field in before.keys() | after.keys() if before.get(field, gone) != after.get(field, gone))


def end(filing: Filing, state: State, *, at: datetime) -> Filing:
    """Let go of a proposal that was declined or came to its time."""
    return replace(filing, state=state, version=filing.version + 1, closed_at=at)
