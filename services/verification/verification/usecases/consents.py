"""Consents: granted, asked for, answered, withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common.paging import Page

from verification import events
from verification.domain import consent as consents
from verification.domain.consent import Consent, ConsentRequest
from verification.domain.identifier import LicenceTypeCode
from verification.domain.refusals import LicenceTypeUnknown
from verification.store import Tx
from verification.usecases.caller import person
from verification.usecases.licences import check_licence_types


async def list_consents(tx: Tx, *, cursor: str | None, size: int) -> Page[Consent]:
    """List the consents that the caller granted."""
    return await tx.consents.page(cursor=cursor, size=size)


async def grant_consent(
    tx: Tx,
    *,
    grantee_id: UUID,
    licence_types: Sequence[LicenceTypeCode],
    matter_code: str,
    valid_until: datetime,
    filing_id: UUID | None = None,
    purpose: str | None = None,
) -> Consent:
    """Let another person use one's licences of some types for one matter, or one filing of it (授权)."""
    await _refuse_unknown(tx, licence_types)
    consent = consents.grant(
        consent_id=tx.unit.ids(),
        holder_id=person(tx),
        grantee_id=grantee_id,
        licence_types=licence_types,
        matter_code=matter_code,
        valid_until=valid_until,
        at=tx.unit.at,
        filing_id=filing_id,
        purpose=purpose,
    )
    _keep_consent(tx, consent)
    return consent


async def request_consent(
    tx: Tx,
    *,
    holder_id: UUID,
    licence_types: Sequence[LicenceTypeCode],
    matter_code: str,
    filing_id: UUID,
    purpose: str,
) -> ConsentRequest:
    """Ask a holder for the use of licences in one's filing (请求授权); asked again, it is the same request."""
    await _refuse_unknown(tx, licence_types)
    asked, new = await tx.consent_requests.add(
        consents.request(
            consent_request_id=tx.unit.ids(),
            holder_id=holder_id,
            grantee_id=person(tx),
            licence_types=licence_types,
            matter_code=matter_code,
            filing_id=filing_id,
            purpose=purpose,
            at=tx.unit.at,
        )
    )
    if new:
        _journal_request(tx, "verification.request_consent", asked)
        tx.unit.emit(events.consent_requested(asked))
    return asked


async def grant_request(tx: Tx, consent_request_id: UUID, *, valid_until: datetime) -> ConsentRequest:
    """Grant what was asked for (同意授权)."""
    asked = await tx.consent_requests.lock(consent_request_id)
    answered, consent = consents.grant_request(asked, consent_id=tx.unit.ids(), valid_until=valid_until, at=tx.unit.at)
    tx.consent_requests.answer(answered)
    _keep_consent(tx, consent)
    return answered


async def decline_request(tx: Tx, consent_request_id: UUID) -> ConsentRequest:
    """Decline a request (不同意授权)."""
    answered = consents.decline_request(await tx.consent_requests.lock(consent_request_id), at=tx.unit.at)
    tx.consent_requests.answer(answered)
    _journal_request(tx, "verification.decline_request", answered)
    tx.unit.emit(events.consent_declined(answered, at=tx.unit.at))
    return answered


async def list_requests_of_me(tx: Tx, *, cursor: str | None, size: int) -> Page[ConsentRequest]:
    """List what others ask of the caller."""
    return await tx.consent_requests.asked_of_me(cursor=cursor, size=size)


async def list_requests_by_me(tx: Tx, *, cursor: str | None, size: int) -> Page[ConsentRequest]:
    """List what the caller asked of others, with their answers."""
    return await tx.consent_requests.asked_by_me(cursor=cursor, size=size)


async def withdraw_consent(tx: Tx, consent_id: UUID) -> Consent:
    """Withdraw one's consent (撤回授权)."""
    withdrawn = consents.withdraw(await tx.consents.lock(consent_id), at=tx.unit.at)
    tx.consents.withdraw(withdrawn)
    _journal_consent(tx, "verification.withdraw_consent", withdrawn)
    tx.unit.emit(events.consent_withdrawn(withdrawn, at=tx.unit.at))
    return withdrawn


def _keep_consent(tx: Tx, consent: Consent) -> None:
    tx.consents.add(consent)
    _journal_consent(tx, "verification.grant_consent", consent)
    tx.unit.emit(events.consent_granted(consent))


async def _refuse_unknown(tx: Tx, licence_types: Sequence[LicenceTypeCode]) -> None:
    known = await check_licence_types(tx, licence_types)
    unknown = sorted(set(licence_types) - set(known))
    if unknown:
        raise LicenceTypeUnknown(licence_type=unknown[0])


def _journal_consent(tx: Tx, act: str, consent: Consent) -> None:
    tx.unit.record(act, subject=("consent", str(consent.consent_id)), owner=str(consent.holder_id))


def _journal_request(tx: Tx, act: str, asked: ConsentRequest) -> None:
    tx.unit.record(act, subject=("consent_request", str(asked.consent_request_id)), owner=str(asked.holder_id))
