"""Consent (授权): a holder lets one other person use licences of some types for one matter, for a time."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from verification.domain.identifier import LicenceTypeCode
from verification.domain.refusals import (
    ConsentAlreadyOver,
    ConsentAlreadyWithdrawn,
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
    )


def withdraw(consent: Consent, *, at: datetime) -> Consent:
    """Withdraw a consent (撤回授权); what was verified under it stays verified."""
    if consent.withdrawn_at is not None:
        raise ConsentAlreadyWithdrawn(consent_id=str(consent.consent_id))
    return replace(consent, withdrawn_at=at)
