"""Consent (授权): a holder lets one other person use licences of some types for one matter, for a time.

It may be for one filing alone. Whoever needs a consent asks for it; the holder grants or declines.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from verification.domain.identifier import LicenceTypeCode
from verification.domain.refusals import (
    ConsentAlreadyOver,
    ConsentAlreadyWithdrawn,
    ConsentRequestAlreadyAnswered,
    ConsentToOneself,
    ConsentTypesMissing,
)


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent of one holder to one grantee."""

    consent_id: UUID
    holder_id: UUID
    grantee_id: UUID
    licence_types: tuple[LicenceTypeCode, ...]
    matter_code: str
    granted_at: datetime
    valid_until: datetime
    withdrawn_at: datetime | None = None
    filing_id: UUID | None = None
    purpose: str | None = None

    def live(self, at: datetime) -> bool:
        """Tell whether the consent may be relied on at a moment."""
        return self.withdrawn_at is None and at < self.valid_until


def grant(
    *,
    consent_id: UUID,
    holder_id: UUID,
    grantee_id: UUID,
    licence_types: Collection[LicenceTypeCode],
    matter_code: str,
    valid_until: datetime,
    at: datetime,
    filing_id: UUID | None = None,
    purpose: str | None = None,
) -> Consent:
    """Grant a consent."""
    if holder_id == grantee_id:
        raise ConsentToOneself
    if not licence_types:
        raise ConsentTypesMissing
    if valid_until <= at:
        raise ConsentAlreadyOver
    return Consent(
        consent_id=consent_id,
        holder_id=holder_id,
        grantee_id=grantee_id,
        licence_types=tuple(sorted(set(licence_types))),
        matter_code=matter_code,
        granted_at=at,
        valid_until=valid_until,
        filing_id=filing_id,
        purpose=purpose,
    )


def withdraw(consent: Consent, *, at: datetime) -> Consent:
    """Withdraw a consent (撤回授权); what was verified under it stays verified."""
    if consent.withdrawn_at is not None:
        raise ConsentAlreadyWithdrawn(consent_id=str(consent.consent_id))
    return replace(consent, withdrawn_at=at)


class Answer(StrEnum):
    """What a holder said to a request."""

    WAITING = "waiting"
    GRANTED = "granted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """A request (授权请求): an applicant asks a holder for the use of licences in one filing."""

    consent_request_id: UUID
    holder_id: UUID
    grantee_id: UUID
    licence_types: tuple[LicenceTypeCode, ...]
    matter_code: str
    filing_id: UUID
    purpose: str
    requested_at: datetime
    answer: Answer = Answer.WAITING
    answered_at: datetime | None = None
    consent_id: UUID | None = None


def request(
    *,
    consent_request_id: UUID,
    holder_id: UUID,
    grantee_id: UUID,
    licence_types: Collection[LicenceTypeCode],
    matter_code: str,
    filing_id: UUID,
    purpose: str,
    at: datetime,
) -> ConsentRequest:
    """Ask a holder for consent (请求授权)."""
    if holder_id == grantee_id:
        raise ConsentToOneself
    if not licence_types:
        raise ConsentTypesMissing
    return ConsentRequest(
        consent_request_id=consent_request_id,
        holder_id=holder_id,
        grantee_id=grantee_id,
        licence_types=tuple(sorted(set(licence_types))),
        matter_code=matter_code,
        filing_id=filing_id,
        purpose=purpose,
        requested_at=at,
    )


def grant_request(
    asked: ConsentRequest, *, consent_id: UUID, valid_until: datetime, at: datetime
) -> tuple[ConsentRequest, Consent]:
    """Grant what was asked for: no more, and for that filing alone."""
    _refuse_answered(asked)
    consent = grant(
        consent_id=consent_id,
        holder_id=asked.holder_id,
        grantee_id=asked.grantee_id,
        licence_types=asked.licence_types,
        matter_code=asked.matter_code,
        valid_until=valid_until,
        at=at,
        filing_id=asked.filing_id,
        purpose=asked.purpose,
    )
    return replace(asked, answer=Answer.GRANTED, answered_at=at, consent_id=consent_id), consent


def decline_request(asked: ConsentRequest, *, at: datetime) -> ConsentRequest:
    """Decline a request (不同意授权); the applicant is told no more than that."""
    _refuse_answered(asked)
    return replace(asked, answer=Answer.DECLINED, answered_at=at)


def _refuse_answered(asked: ConsentRequest) -> None:
    if asked.answer is not Answer.WAITING:
        raise ConsentRequestAlreadyAnswered(consent_request_id=str(asked.consent_request_id))
