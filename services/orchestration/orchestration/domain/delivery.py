"""Delivery (送达): a decision counts for its applicant when it reached him or her, and that is proved (送达回证)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from worktime import Calendar, due

from orchestration.domain.case import UNDECIDED, Case, Status
from orchestration.domain.document import Document
from orchestration.domain.filing import Filing, refuse_archived
from orchestration.domain.refusals import CaseAlreadyDelivered, DeliveryUnfit, NothingToDeliver

PUBLIC_FOR = timedelta(days=30)  # a public announcement has reached everybody after so long (民事诉讼法 Art. 95)


class Mode(StrEnum):
    """How a document reaches its applicant."""

    ONLINE = "online"  # opened by the applicant
    WINDOW = "window"  # handed out at the window
    POST = "post"  # sent by post, with its tracking number
    LEFT = "left"  # left in place before witnesses
    PUBLIC = "public"  # announced publicly, as the applicant cannot be found


# What an officer can record; nobody but the applicant opens a document.
BY_OFFICER = frozenset(Mode) - {Mode.ONLINE}
_PROVED = frozenset({Mode.POST, Mode.LEFT, Mode.PUBLIC})


@dataclass(frozen=True, slots=True)
class Receipt:
    """How and on which day a document was handed over, and what proves it: a number, witnesses, a place."""

    mode: Mode
    on: date | None = None
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A document that has to reach its applicant, and whether it did."""

    document_id: str
    case_id: str
    filing_id: str
    issued_at: datetime
    due_at: datetime
    mode: Mode | None = None
    delivered_at: datetime | None = None
    proof: str | None = None

    @property
    def is_open(self) -> bool:
        return self.delivered_at is None


def begin(document: Document, case: Case, calendar: Calendar) -> Delivery | None:
    """What must reach the applicant within the term of the law (许可法 Art. 44), if it is the end of a case.

    What confirms the applicant's own withdrawal needs no proof that it was heard of.
    """
    if case.status in UNDECIDED or case.status is Status.WITHDRAWN:
        return None
    return Delivery(
        document_id=document.document_id,
        case_id=case.id,
        filing_id=document.filing_id,
        issued_at=document.issued_at,
        due_at=due(document.issued_at, case.terms.delivery_days, calendar).at,
    )


def opened(filing: Filing, delivery: Delivery | None, *, at: datetime) -> Delivery | None:
    """The applicant opened a document; only the first time tells anything, and nothing does in the archive."""
    if delivery is None or not delivery.is_open or filing.is_archived:
        return None
    return replace(delivery, mode=Mode.ONLINE, delivered_at=at)


def deliver(
    filing: Filing, case_id: str, deliveries: Sequence[Delivery], receipt: Receipt, *, at: datetime, calendar: Calendar
) -> tuple[Delivery, ...]:
    """Record that everything of a case that had not reached the applicant was handed over another way."""
    refuse_archived(filing)
    case = filing.case(case_id)
    if not deliveries:
        raise NothingToDeliver(case_id=case.id, status=case.status.value)
    waiting = [delivery for delivery in deliveries if delivery.is_open]
    if not waiting:
        raise CaseAlreadyDelivered(case_id=case.id)
    delivered_at = _when(case_id, receipt, since=max(each.issued_at for each in waiting), at=at, calendar=calendar)
    return tuple(
        replace(delivery, mode=receipt.mode, delivered_at=delivered_at, proof=receipt.proof) for delivery in waiting
    )


def _when(case_id: str, receipt: Receipt, *, since: datetime, at: datetime, calendar: Calendar) -> datetime:
    """When a receipt says that a document arrived: after it was issued, by now, a public one when its time is up."""
    today, issued = calendar.local(at).date(), calendar.local(since).date()
    day = receipt.on or today
    if receipt.mode not in BY_OFFICER or (receipt.mode in _PROVED and not receipt.proof) or not issued <= day <= today:
        raise DeliveryUnfit(case_id=case_id, mode=receipt.mode.value)
    arrived = day + PUBLIC_FOR if receipt.mode is Mode.PUBLIC else day
    if arrived > today:
        raise DeliveryUnfit(case_id=case_id, mode=receipt.mode.value)
    return at if arrived == today else calendar.close_of(arrived)
