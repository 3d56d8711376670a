"""Licence types and licences: published, issued, renewed, made void, read."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from common.paging import Page
from common.permissions import Caller
from common.scope import region_prefix

from verification import events
from verification.domain import licence as licences
from verification.domain import reading
from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence import CHINA, Issuer, Licence, VoidKind
from verification.domain.licence_type import FaceField, HolderKind, LicenceType
from verification.domain.reading import LicenceFile, LicenceView
from verification.domain.refusals import IssuerOutOfScope, LicenceRequestReused
from verification.store import Tx

# Lets a post see whole numbers on the face of a licence, when it says what for.
REVEAL = "verification:reveal_licence"


async def publish_licence_type(
    tx: Tx,
    code: LicenceTypeCode,
    *,
    name: str,
    defining_body: str,
    holder_kind: HolderKind,
    face_fields: Sequence[FaceField],
    validity_years: int | None,
    effective_from: date,
) -> LicenceType:
    """Publish a licence type, or its next version; what says the same as the last version is that version."""
    last = await tx.licence_types.latest(code)
    published = LicenceType(
        code=code,
        version=last.version + 1 if last else 1,
        name=name,
        defining_body=defining_body,
        holder_kind=holder_kind,
        face_fields=tuple(face_fields),
        validity_years=validity_years,
        effective_from=effective_from,
    )
    if last is not None and published.same_content(last):
        return last
    tx.licence_types.add(published)
    tx.unit.record(
        "verification.publish_licence_type", subject=("licence_type", code), details={"version": published.version}
    )
    return published


async def check_licence_types(tx: Tx, codes: Collection[str]) -> list[LicenceTypeCode]:
    """Tell which of the types named are in force."""
    found = await tx.licence_types.in_force(list(codes), on=_today(tx))
    return [licence_type.code for licence_type in found]


async def list_licence_types(tx: Tx) -> list[LicenceType]:
    """List the types in force."""
    return await tx.licence_types.in_force(None, on=_today(tx))


async def issue_licence(
    tx: Tx,
    request_id: str,
    *,
    licence_type: LicenceTypeCode,
    issuer: Issuer,
    holders: Sequence[UUID],
    face: Mapping[str, str],
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> LicenceView:
    """Issue a licence (颁发); the same request again gets the licence that it got before."""
    _check_issuer(tx, issuer)
    holders = await tx.duplicates.survivors(holders)
    already = await tx.licences.issued_for(request_id)
    if already is not None:
        _check_same(already.licence, request_id, licence_type=licence_type, issuer=issuer, holders=holders)
        return reading.masked(already, at=tx.unit.at)
    known = await tx.licence_types.named(licence_type, on=_today(tx))
    issued = licences.issue(
        known,
        licence_id=tx.unit.ids(),
        issuer=issuer,
        serial=await tx.licences.next_serial(known.code, issuer.uscc),
        holders=holders,
        face=face,
        valid_from=valid_from,
        valid_until=valid_until,
        at=tx.unit.at,
    )
    tx.licences.add(issued, face, request_id=request_id)
    _journal(tx, "verification.issue_licence", issued)
    tx.unit.emit(events.licence_issued(issued, at=tx.unit.at))
    return reading.masked(LicenceFile(issued, known, face), at=tx.unit.at)


async def renew_licence(
    tx: Tx,
    licence_id: UUID,
    *,
    version: int,
    face: Mapping[str, str] | None,
    valid_from: date | None,
    valid_until: date | None,
) -> LicenceView:
    """Replace a licence's version by the next one (换发); the face stays unless another is given."""
    file = await tx.licences.lock(licence_id)
    known = await tx.licence_types.named(file.licence.licence_type, on=_today(tx))
    shown = file.face if face is None else face
    renewed = licences.renew(
        file.licence,
        known,
        version=version,
        face=shown,
        valid_from=valid_from,
        valid_until=valid_until,
        at=tx.unit.at,
    )
    tx.licences.renew(renewed, shown)
    _journal(tx, "verification.renew_licence", renewed)
    tx.unit.emit(events.licence_renewed(renewed, at=tx.unit.at))
    return reading.masked(LicenceFile(renewed, known, shown), at=tx.unit.at)


async def correct_licence(tx: Tx, licence_id: UUID, face: Mapping[str, str]) -> Licence:
    """Show what is right on a licence (更正) as its next version; one that shows it already stays as it is."""
    file = await tx.licences.lock(licence_id)
    _check_issuer(tx, file.licence.issuer)
    shown = {**file.face, **face}
    if shown == file.face:
        return file.licence
    corrected = licences.renew(
        file.licence,
        file.licence_type,
        version=file.licence.version,
        face=shown,
        valid_from=file.licence.valid_from,
        valid_until=file.licence.valid_until,
        at=tx.unit.at,
    )
    tx.licences.renew(corrected, shown)
    _journal(tx, "verification.correct_licence", corrected)
    tx.unit.emit(events.licence_renewed(corrected, at=tx.unit.at))
    return corrected


async def void_licence(tx: Tx, licence_id: UUID, *, version: int, kind: VoidKind, explanation: str) -> LicenceView:
    """Make a licence void: revoke (撤销) or cancel (注销) it."""
    file = await tx.licences.lock(licence_id)
    voided = licences.void(file.licence, kind, version=version)
    tx.licences.void(voided, explanation=explanation)
    _journal(tx, "verification.void_licence", voided)
    tx.unit.emit(events.licence_voided(voided, at=tx.unit.at))
    return reading.masked(LicenceFile(voided, file.licence_type, file.face), at=tx.unit.at)


async def read_licence(tx: Tx, licence_id: UUID) -> LicenceView:
    """Read a licence: its holder in full, an officer in full only with the permission and a purpose."""
    file = await tx.licences.get(licence_id)
    past_versions = await tx.licences.past_versions(file.licence)
    actor = tx.unit.actor
    if actor.kind is Caller.CITIZEN:
        return reading.in_full(file, at=tx.unit.at, past_versions=past_versions)
    _journal(tx, "verification.read_licence", file.licence)
    if actor.post is not None and REVEAL in actor.post.permissions and actor.call.purpose:
        return reading.in_full(file, at=tx.unit.at, past_versions=past_versions)
    return reading.masked(file, at=tx.unit.at, past_versions=past_versions)


async def list_licences(
    tx: Tx, *, licence_type: LicenceTypeCode | None = None, cursor: str | None, size: int
) -> Page[LicenceView]:
    """List licences: to a citizen those held, in full; to others those of their scope, masked."""
    page = await tx.licences.page(licence_type=licence_type, cursor=cursor, size=size)
    show = reading.in_full if tx.unit.actor.kind is Caller.CITIZEN else reading.masked
    return Page([show(file, at=tx.unit.at) for file in page.items], page.next_cursor)


def _check_issuer(tx: Tx, issuer: Issuer) -> None:
    """Let an officer issue only for the post's own department and region; a service has its own permission."""
    post = tx.unit.actor.post
    if post is None:
        return
    within = f"{issuer.org_path}.".startswith(f"{post.org_path}.")
    if not within or not issuer.region_code.startswith(region_prefix(post.region_code)):
        raise IssuerOutOfScope(org_path=issuer.org_path)


def _check_same(
    licence: Licence, request_id: str, *, licence_type: LicenceTypeCode, issuer: Issuer, holders: Sequence[UUID]
) -> None:
    if (licence.licence_type, licence.issuer, licence.holders) != (licence_type, issuer, tuple(holders)):
        raise LicenceRequestReused(request_id=request_id)


def _journal(tx: Tx, act: str, licence: Licence) -> None:
    """Write the act where each holder will find it."""
    for holder in licence.holders:
        tx.unit.record(
            act,
            subject=("licence", str(licence.licence_id)),
            owner=str(holder),
            purpose=tx.unit.actor.call.purpose,
            details={"version": licence.version},
        )


def _today(tx: Tx) -> date:
    return tx.unit.at.astimezone(CHINA).date()
