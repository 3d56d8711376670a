"""The HTTP door."""

from datetime import date
from typing import Annotated
from uuid import UUID

from common.auth import Actor
from common.paging import DEFAULT_SIZE, MAX_CURSOR, MAX_SIZE, Page
from common.permissions import Caller, Permission
from common.web import Body, LongText, Text, app_of, may
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field, StringConstraints

from verification import usecases
from verification.domain.consent import Consent, ConsentRequest
from verification.domain.identifier import LicenceTypeCode
from verification.domain.licence import Issuer, VoidKind
from verification.domain.licence_type import FaceField, FieldKind, HolderKind, LicenceType
from verification.domain.reading import LicenceView
from verification.domain.verifying import Evidence
from verification.store import Store

router = APIRouter(prefix="/v1")

StoreDep = Annotated[Store, Depends(app_of)]
CITIZENS = frozenset({Caller.CITIZEN})
ISSUERS = frozenset({Caller.OFFICER, Caller.SERVICE})
EVERYBODY = frozenset(Caller)

MayReadType = Annotated[Actor, may(Permission("verification:read_licence_type", EVERYBODY))]
MayPublishType = Annotated[Actor, may(Permission("verification:publish_licence_type", ISSUERS, acr=2, max_age=1800))]
MayIssue = Annotated[Actor, may(Permission("verification:issue_licence", ISSUERS, acr=2))]
MayRenew = Annotated[Actor, may(Permission("verification:renew_licence", ISSUERS, acr=2))]
MayVoid = Annotated[Actor, may(Permission("verification:void_licence", ISSUERS, acr=2))]
MayReadLicence = Annotated[Actor, may(Permission("verification:read_licence", EVERYBODY))]
MayListLicences = Annotated[Actor, may(Permission("verification:read_licence", ISSUERS))]
MayReadOwn = Annotated[Actor, may(Permission("verification:read_licence", CITIZENS))]
MayConsent = Annotated[Actor, may(Permission("verification:grant_consent", CITIZENS))]
MayRequestConsent = Annotated[Actor, may(Permission("verification:request_consent", CITIZENS))]
MayReadVerifications = Annotated[Actor, may(Permission("verification:read_verifications", CITIZENS))]

TypeCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{21}$")]
Uscc = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{18}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
OrgPath = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}(\.[a-z0-9_]{1,64}){0,15}$")]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
RequestId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.:-]{1,64}$")]
MatterCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.-]{1,64}$")]
Face = Annotated[dict[Code, LongText], Field(max_length=60)]
Version = Annotated[int, Field(ge=1, le=999)]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR)]
PageSize = Annotated[int, Query(ge=1, le=MAX_SIZE)]


class FaceFieldBody(Body):
    """A face field of a type to publish."""

    code: Code
    title: Text
    kind: FieldKind = FieldKind.TEXT
    required: bool = True


class PublishLicenceType(Body):
    """A licence type to publish."""

    code: TypeCode
    name: Text
    defining_body: Uscc
    holder_kind: HolderKind
    face_fields: Annotated[list[FaceFieldBody], Field(min_length=1, max_length=60)]
    validity_years: Annotated[int, Field(ge=1, le=100)] | None = None
    effective_from: date


class IssuerBody(Body):
    """The body that issues."""

    uscc: Uscc
    org_id: UUID
    org_path: OrgPath
    region_code: RegionCode


class IssueLicence(Body):
    """A licence to issue."""

    request_id: RequestId
    licence_type: TypeCode
    issuer: IssuerBody
    holders: Annotated[list[UUID], Field(min_length=1, max_length=10)]
    face: Face
    valid_from: date | None = None
    valid_until: date | None = None


class RenewLicence(Body):
    """The next version of a licence; the version it replaces is named."""

    version: Version
    face: Face | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class VoidLicence(Body):
    """The end of a licence; the version meant is named."""

    version: Version
    kind: VoidKind
    explanation: LongText


class GrantConsent(Body):
    """A consent to grant."""

    grantee_id: UUID
    licence_types: Annotated[list[TypeCode], Field(min_length=1, max_length=50)]
    matter_code: MatterCode
    valid_until: AwareDatetime
    filing_id: UUID | None = None
    purpose: Text | None = None


class RequestConsent(Body):
    """What a holder is asked for."""

    holder_id: UUID
    licence_types: Annotated[list[TypeCode], Field(min_length=1, max_length=50)]
    matter_code: MatterCode
    filing_id: UUID
    purpose: Text


class GrantRequest(Body):
    """Until when what was asked for is granted."""

    valid_until: AwareDatetime


@router.post("/licence-types")
async def publish_licence_type(body: PublishLicenceType, store: StoreDep, actor: MayPublishType) -> LicenceType:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.publish_licence_type(
                tx,
                LicenceTypeCode(body.code),
                name=body.name,
                defining_body=body.defining_body,
                holder_kind=body.holder_kind,
                face_fields=[FaceField(**field.model_dump()) for field in body.face_fields],
                validity_years=body.validity_years,
                effective_from=body.effective_from,
            )
        )


@router.get("/licence-types")
async def list_licence_types(store: StoreDep, actor: MayReadType) -> list[LicenceType]:
    async with store.begin(actor) as tx:
        return await usecases.list_licence_types(tx)


@router.post("/licences")
async def issue_licence(body: IssueLicence, store: StoreDep, actor: MayIssue) -> LicenceView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.issue_licence(
                tx,
                body.request_id,
                licence_type=LicenceTypeCode(body.licence_type),
                issuer=Issuer(**body.issuer.model_dump()),
                holders=body.holders,
                face=body.face,
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.get("/licences")
async def list_licences(
    store: StoreDep,
    actor: MayListLicences,
    licence_type: Annotated[TypeCode | None, Query()] = None,
    cursor: Cursor = None,
    page_size: PageSize = DEFAULT_SIZE,
) -> Page[LicenceView]:
    async with store.begin(actor) as tx:
        code = LicenceTypeCode(licence_type) if licence_type else None
        return await usecases.list_licences(tx, licence_type=code, cursor=cursor, size=page_size)


@router.get("/licences/{licence_id}")
async def read_licence(licence_id: UUID, store: StoreDep, actor: MayReadLicence) -> LicenceView:
    async with store.begin(actor) as tx:
        return await usecases.read_licence(tx, licence_id)


@router.post("/licences/{licence_id}:renew")
async def renew_licence(licence_id: UUID, body: RenewLicence, store: StoreDep, actor: MayRenew) -> LicenceView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.renew_licence(
                tx,
                licence_id,
                version=body.version,
                face=body.face,
                valid_from=body.valid_from,
                valid_until=body.valid_until,
            )
        )


@router.post("/licences/{licence_id}:void")
async def void_licence(licence_id: UUID, body: VoidLicence, store: StoreDep, actor: MayVoid) -> LicenceView:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.void_licence(
                tx, licence_id, version=body.version, kind=body.kind, explanation=body.explanation
            )
        )


@router.get("/me/licences")
async def list_my_licences(
    store: StoreDep, actor: MayReadOwn, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[LicenceView]:
    async with store.begin(actor) as tx:
        return await usecases.list_licences(tx, cursor=cursor, size=page_size)


@router.post("/consents")
async def grant_consent(body: GrantConsent, store: StoreDep, actor: MayConsent) -> Consent:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.grant_consent(
                tx,
                grantee_id=body.grantee_id,
                licence_types=[LicenceTypeCode(code) for code in body.licence_types],
                matter_code=body.matter_code,
                valid_until=body.valid_until,
                filing_id=body.filing_id,
                purpose=body.purpose,
            )
        )


@router.post("/consent-requests")
async def request_consent(body: RequestConsent, store: StoreDep, actor: MayRequestConsent) -> ConsentRequest:
    async with store.begin(actor) as tx:
        return tx.unit.answer(
            await usecases.request_consent(
                tx,
                holder_id=body.holder_id,
                licence_types=[LicenceTypeCode(code) for code in body.licence_types],
                matter_code=body.matter_code,
                filing_id=body.filing_id,
                purpose=body.purpose,
            )
        )


@router.get("/consent-requests")
async def list_requests_by_me(
    store: StoreDep, actor: MayRequestConsent, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[ConsentRequest]:
    async with store.begin(actor) as tx:
        return await usecases.list_requests_by_me(tx, cursor=cursor, size=page_size)


@router.get("/me/consent-requests")
async def list_requests_of_me(
    store: StoreDep, actor: MayConsent, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[ConsentRequest]:
    async with store.begin(actor) as tx:
        return await usecases.list_requests_of_me(tx, cursor=cursor, size=page_size)


@router.post("/consent-requests/{consent_request_id}:grant")
async def grant_request(
    consent_request_id: UUID, body: GrantRequest, store: StoreDep, actor: MayConsent
) -> ConsentRequest:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.grant_request(tx, consent_request_id, valid_until=body.valid_until))


@router.post("/consent-requests/{consent_request_id}:decline")
async def decline_request(consent_request_id: UUID, store: StoreDep, actor: MayConsent) -> ConsentRequest:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.decline_request(tx, consent_request_id))


@router.get("/me/consents")
async def list_my_consents(
    store: StoreDep, actor: MayConsent, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[Consent]:
    async with store.begin(actor) as tx:
        return await usecases.list_consents(tx, cursor=cursor, size=page_size)


@router.post("/consents/{consent_id}:withdraw")
async def withdraw_consent(consent_id: UUID, store: StoreDep, actor: MayConsent) -> Consent:
    async with store.begin(actor) as tx:
        return tx.unit.answer(await usecases.withdraw_consent(tx, consent_id))


@router.get("/me/verifications")
async def list_my_verifications(
    store: StoreDep, actor: MayReadVerifications, cursor: Cursor = None, page_size: PageSize = DEFAULT_SIZE
) -> Page[Evidence]:
    async with store.begin(actor) as tx:
        return await usecases.list_verifications(tx, cursor=cursor, size=page_size)
