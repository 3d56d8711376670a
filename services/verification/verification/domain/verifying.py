"""Verification (核验): what the library answers to a person who needs a licence for a matter, and why."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from verification.domain.consent import Consent
from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence import Licence, State
from verification.domain.refusals import QueriesTooMany, QueryKeyRepeated

MOST_QUERIES = 100


class Finding(StrEnum):
    """What was found."""

    VERIFIED = "verified"
    MISSING = "missing"
    INVALID = "invalid"
    CONSENT_NEEDED = "consent_needed"


class Reason(StrEnum):
    """Why the finding is what it is."""

    IN_FORCE = "in_force"
    NO_LICENCE = "no_licence"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NO_CONSENT = "no_consent"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_WITHDRAWN = "consent_withdrawn"


class Basis(StrEnum):
    """What entitles the caller to be told."""

    OWN_LICENCE = "own_licence"
    CONSENT = "consent"
    GUARDIANSHIP = "guardianship"
    LEGAL_DUTY = "legal_duty"


@dataclass(frozen=True, slots=True)
class Query:
    """One requirement: a licence of this type, held by this person."""

    key: str
    licence_type: LicenceTypeCode
    holder_id: UUID


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one query, with the facts it stands on."""

    query: Query
    finding: Finding
    reason: Reason
    basis: Basis | None = None
    licence: Licence | None = None
    consent: Consent | None = None
    guardianship_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The record of one verification (核验存证): who was told what about whom, for what, on which basis.

    `asked_by` is a person, or the organisation that asked as its legal duty.
    """

    evidence_id: UUID
    filing_id: UUID
    key: str
    asked_by: UUID
    holder_id: UUID
    licence_type: LicenceTypeCode
    matter_code: str
    purpose: str
    finding: Finding
    reason: Reason
    basis: Basis | None
    licence_id: UUID | None
    version: int | None
    identifier: str | None
    consent_id: UUID | None
    guardianship_id: UUID | None
    at: datetime


def check_queries(queries: Sequence[Query]) -> None:
    """Refuse a batch that cannot be answered query by query."""
    if len(queries) > MOST_QUERIES:
        raise QueriesTooMany(most=MOST_QUERIES)
    if len({query.key for query in queries}) != len(queries):
        raise QueryKeyRepeated


def decide(
    query: Query,
    *,
    caller: UUID,
    licences: Sequence[Licence],
    consents: Sequence[Consent],
    guardianship_id: UUID | None = None,
    at: datetime,
) -> Decision:
    """Decide one query on the holder's licences of the type and the holder's consents to the caller for the matter.

    A guardian uses the licences of the child as the child would.

    Without a right to know, nothing is told: not even whether the other person has such a licence.
    """
    own = [licence for licence in licences if caller in licence.holders]
    consent = max(consents, key=lambda consent: (consent.live(at), consent.granted_at), default=None)
    if caller == query.holder_id or any(licence.in_force(at) for licence in own):
        return _judge(query, own, basis=Basis.OWN_LICENCE, consent=None, at=at)
    if guardianship_id is not None:
        judged = _judge(query, licences, basis=Basis.GUARDIANSHIP, consent=None, at=at)
        return replace(judged, guardianship_id=guardianship_id)
    if consent is not None and consent.live(at):
        return _judge(query, licences, basis=Basis.CONSENT, consent=consent, at=at)
    if own:
        return _judge(query, own, basis=Basis.OWN_LICENCE, consent=None, at=at)
    if consent is None:
        return Decision(query, Finding.CONSENT_NEEDED, Reason.NO_CONSENT)
    over = Reason.CONSENT_EXPIRED if consent.withdrawn_at is None else Reason.CONSENT_WITHDRAWN
    return Decision(query, Finding.CONSENT_NEEDED, over)


def reverify(query: Query, *, licences: Sequence[Licence], at: datetime) -> Decision:
    """Decide again what was verified before, for the department that decides on it.

    Its legal duty to decide on what holds is the basis; a consent withdrawn meanwhile takes nothing back.
    """
    return _judge(query, licences, basis=Basis.LEGAL_DUTY, consent=None, at=at)


def _judge(
    query: Query, licences: Sequence[Licence], *, basis: Basis, consent: Consent | None, at: datetime
) -> Decision:
    """Judge the best licence there is: one in force before others, then the latest."""
    best = max(
        licences, key=lambda licence: (licence.in_force(at), licence.issued_at, licence.licence_id), default=None
    )
    if best is None:
        return Decision(query, Finding.MISSING, Reason.NO_LICENCE, basis, consent=consent)
    if best.in_force(at):
        return Decision(query, Finding.VERIFIED, Reason.IN_FORCE, basis, best, consent)
    state = best.state(at)
    reason = Reason.NOT_YET_VALID if state is State.VALID else Reason(state)
    return Decision(query, Finding.INVALID, reason, basis, best, consent)


def evidence_of(
    decision: Decision,
    *,
    evidence_id: UUID,
    filing_id: UUID,
    asked_by: UUID,
    matter_code: str,
    purpose: str,
    at: datetime,
) -> Evidence:
    """Put a decision on record."""
    return Evidence(
        evidence_id=evidence_id,
        filing_id=filing_id,
        key=decision.query.key,
        asked_by=asked_by,
        holder_id=decision.query.holder_id,
        licence_type=decision.query.licence_type,
        matter_code=matter_code,
        purpose=purpose,
        finding=decision.finding,
        reason=decision.reason,
        basis=decision.basis,
        licence_id=decision.licence.licence_id if decision.licence else None,
        version=decision.licence.version if decision.licence else None,
        identifier=decision.licence.identifier if decision.licence else None,
        consent_id=decision.consent.consent_id if decision.consent else None,
        guardianship_id=decision.guardianship_id,
        at=at,
    )


def fingerprint(evidence: Evidence) -> bytes:
    """Say in 32 bytes what the record says, but for its id and moment.

    The same question with the same answer is the same record; an answer that changed is a record of its own.
    """
    said = (
        evidence.filing_id,
        evidence.key,
        evidence.asked_by,
        evidence.holder_id,
        evidence.licence_type,
        evidence.matter_code,
        evidence.finding,
        evidence.reason,
        evidence.basis,
        evidence.licence_id,
        evidence.version,
        # What entitled the caller is one of both.
        evidence.consent_id or evidence.guardianship_id,
    )
    return hashlib.sha256("\n".join(str(part) for part in said).encode()).digest()
