"""The gRPC door."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import grpc
from common import rpc
from common.auth import Actor
from tongban.verification.v1 import licence_pb2, licence_service_pb2, licence_service_pb2_grpc

from verification import usecases
from verification.clients import Agents, Guardians
from verification.domain.identifier import LicenceTypeCode, licence_type_code
from verification.domain.licence import CHINA, Issuer, Licence
from verification.domain.refusals import IdMalformed, TextUnfit
from verification.domain.verifying import Decision, Evidence, Finding, Query
from verification.store import Store

type Context = grpc.aio.ServicerContext[Any, Any]

LONGEST = 200
LONGEST_ON_FACE = 4_000  # a scope of business is long
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

FINDINGS = {
    Finding.VERIFIED: licence_pb2.FINDING_VERIFIED,
    Finding.MISSING: licence_pb2.FINDING_MISSING,
    Finding.INVALID: licence_pb2.FINDING_INVALID,
    Finding.CONSENT_NEEDED: licence_pb2.FINDING_CONSENT_NEEDED,
}


class LicenceService(licence_service_pb2_grpc.LicenceServiceServicer):
    """Answers for the library."""

    def __init__(self, store: Store, guardians: Guardians, agents: Agents) -> None:
        self._store = store
        self._guardians = guardians
        self._agents = agents

    async def FindLicences(  # noqa: N802 - named by the contract
        self, request: licence_service_pb2.FindLicencesRequest, context: Context
    ) -> licence_service_pb2.FindLicencesResponse:
        actor, queries = rpc.actor(context), _queries(request.queries)
        matter_code = _text(request.matter_code, "matter_code")
        acts_for = await self._acts_for(actor, request.on_behalf_of, matter_code)
        guardianships = await self._guardianships(actor, queries, acts_for)
        async with self._store.begin(actor) as tx:
            decisions = await usecases.find_licences(
                tx,
                queries,
                matter_code=matter_code,
                guardianships=guardianships,
                acts_for=acts_for,
                filing_id=_id(request.filing_id, "filing_id") if request.filing_id else None,
            )
        return licence_service_pb2.FindLicencesResponse(findings=[_finding(decision) for decision in decisions])

    async def VerifyLicences(  # noqa: N802 - named by the contract
        self, request: licence_service_pb2.VerifyLicencesRequest, context: Context
    ) -> licence_service_pb2.VerifyLicencesResponse:
        actor, queries = rpc.actor(context), _queries(request.queries)
        matter_code = _text(request.matter_code, "matter_code")
        acts_for = await self._acts_for(actor, request.on_behalf_of, matter_code)
        guardianships = await self._guardianships(actor, queries, acts_for)
        async with self._store.begin(actor) as tx:
            verified = await usecases.verify_licences(
                tx,
                _id(request.filing_id, "filing_id"),
                queries,
                matter_code=matter_code,
                purpose=_text(request.purpose, "purpose"),
                guardianships=guardianships,
                acts_for=acts_for,
            )
        return licence_service_pb2.VerifyLicencesResponse(findings=[_finding(*each) for each in verified])

    async def ReverifyLicences(  # noqa: N802 - named by the contract
        self, request: licence_service_pb2.ReverifyLicencesRequest, context: Context
    ) -> licence_service_pb2.ReverifyLicencesResponse:
        async with self._store.begin(rpc.actor(context)) as tx:
            verified = await usecases.reverify_licences(
                tx,
                _id(request.filing_id, "filing_id"),
                [_text(key, "keys") for key in request.keys],
                evidence_ids=[_id(each, "evidence_ids") for each in request.evidence_ids],
                purpose=_text(request.purpose, "purpose"),
            )
        return licence_service_pb2.ReverifyLicencesResponse(findings=[_finding(*each) for each in verified])

    async def CheckLicenceTypes(  # noqa: N802 - named by the contract
        self, request: licence_service_pb2.CheckLicenceTypesRequest, context: Context
    ) -> licence_service_pb2.CheckLicenceTypesResponse:
        codes = [_text(code, "licence_types") for code in request.licence_types]
        async with self._store.begin(rpc.actor(context)) as tx:
            known = await usecases.check_licence_types(tx, codes)
        return licence_service_pb2.CheckLicenceTypesResponse(known=known)

    async def IssueLicence(  # noqa: N802 - named by the contract
        self, request: licence_service_pb2.IssueLicenceRequest, context: Context
    ) -> licence_service_pb2.IssueLicenceResponse:
        async with self._store.begin(rpc.actor(context)) as tx:
            issued = await usecases.issue_licence(
                tx,
                _text(request.request_id, "request_id"),
                licence_type=_type(request.licence_type),
                issuer=Issuer(
                    uscc=_text(request.issuer_uscc, "issuer_uscc"),
                    org_id=_id(request.issuer_org_id, "issuer_org_id"),
                    org_path=_text(request.issuer_org_path, "issuer_org_path"),
                    region_code=_text(request.region_code, "region_code"),
                ),
                holders=[_id(holder, "holder_ids") for holder in request.holder_ids],
                face=_face(request.face),
            )
        return licence_service_pb2.IssueLicenceResponse(licence_id=str(issued.licence_id), identifier=issued.identifier)

    async def CorrectLicence(  # noqa: N802 - named by the contract
        self, request: licence_service_pb2.CorrectLicenceRequest, context: Context
    ) -> licence_service_pb2.CorrectLicenceResponse:
        licence_id, face = _id(request.licence_id, "licence_id"), _face(request.face)
        async with self._store.begin(rpc.actor(context)) as tx:
            licence = await usecases.correct_licence(tx, licence_id, face)
        return licence_service_pb2.CorrectLicenceResponse(
            licence_id=str(licence.licence_id), identifier=licence.identifier, version=licence.version
        )

    async def _acts_for(self, actor: Actor, on_behalf_of: str, matter_code: str) -> UUID | None:
        if not on_behalf_of:
            return None
        legal_person_id = _id(on_behalf_of, "on_behalf_of")
        await self._agents.check(actor, legal_person_id, matter_code=matter_code)
        return legal_person_id

    async def _guardianships(
        self, actor: Actor, queries: Sequence[Query], acts_for: UUID | None
    ) -> Mapping[UUID, UUID]:
        if acts_for is not None:
            return {}  # an agent's own wards are no business of the legal person's
        return await self._guardians.guardianships(actor, {query.holder_id for query in queries})


def services(store: Store, guardians: Guardians, agents: Agents) -> list[tuple[rpc.Add, object]]:
    """Name what this door answers."""
    return [(licence_service_pb2_grpc.add_LicenceServiceServicer_to_server, LicenceService(store, guardians, agents))]


def _queries(asked: Sequence[licence_pb2.LicenceQuery]) -> list[Query]:
    return [
        Query(_text(query.key, "key"), _type(query.licence_type), _id(query.holder_id, "holder_id")) for query in asked
    ]


def _finding(decision: Decision, record: Evidence | None = None) -> licence_pb2.LicenceFinding:
    found = licence_pb2.LicenceFinding(
        key=decision.query.key, finding=FINDINGS[decision.finding], reason=decision.reason.value
    )
    if decision.licence is not None:
        found.licence_id = str(decision.licence.licence_id)
        found.identifier = decision.licence.identifier
        found.version = decision.licence.version
        end = _end(decision.licence)
        if end is not None:
            found.valid_until.FromDatetime(end)
    if record is not None:
        found.evidence_id = str(record.evidence_id)
    return found


def _end(licence: Licence) -> datetime | None:
    """Give the first moment at which the licence is no longer valid."""
    # Some issuers write "for ever" as the last day there is, which has no morrow.
    if licence.valid_until is None or licence.valid_until == date.max:
        return None
    return datetime.combine(licence.valid_until + timedelta(days=1), time(), CHINA).astimezone(UTC)


def _text(text: str, field: str, *, longest: int = LONGEST) -> str:
    """Refuse what a browser's form would never send but a program may."""
    if not text.strip() or len(text) > longest or CONTROL.search(text):
        raise TextUnfit(field=field)
    return text


def _face(sent: Mapping[str, str]) -> dict[str, str]:
    """Read the face; a field left empty is a field not given."""
    return {
        _text(code, "face"): _text(value, "face", longest=LONGEST_ON_FACE)
        for code, value in sent.items()
        if value.strip()
    }


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise IdMalformed(field=field) from error


def _type(text: str) -> LicenceTypeCode:
    return licence_type_code(text)
