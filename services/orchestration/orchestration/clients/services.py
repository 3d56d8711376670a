"""Calls to other services: licences (verification) and departments (accounts)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC

from common import rpc
from common.auth import Actor, ServiceToken
from common.permissions import Post
from grpc.aio import Channel
from tongban.accounts.v1 import account_service_pb2 as accounts_pb
from tongban.accounts.v1.account_service_pb2_grpc import AccountServiceStub
from tongban.verification.v1 import licence_pb2
from tongban.verification.v1 import licence_service_pb2 as verification_pb
from tongban.verification.v1.licence_service_pb2_grpc import LicenceServiceStub

from orchestration.domain.agency import Agency
from orchestration.domain.call import CorrectLicence, IssueLicence
from orchestration.domain.plan import Department, Finding, Found, LicenceQuery
from orchestration.domain.proof import Proof

_FOUND = {
    licence_pb2.FINDING_VERIFIED: Found.VERIFIED,
    licence_pb2.FINDING_MISSING: Found.MISSING,
    licence_pb2.FINDING_INVALID: Found.INVALID,
    licence_pb2.FINDING_CONSENT_NEEDED: Found.CONSENT_NEEDED,
}


class Verification:
    """The licence library."""

    def __init__(self, channel: Channel, own: ServiceToken) -> None:
        self._stub = LicenceServiceStub(channel)
        self._own = own

    async def find(
        self,
        actor: Actor,
        matter_code: str,
        filing_id: str,
        queries: Sequence[LicenceQuery],
        *,
        agency: Agency | None = None,
    ) -> dict[str, Finding]:
        """Look whether licences are there, for a plan; no evidence is written."""
        if not queries:
            return {}
        request = verification_pb.FindLicencesRequest(
            matter_code=matter_code,
            filing_id=filing_id,
            queries=_queries(queries),
            on_behalf_of=agency.legal_person_id if agency else "",
        )
        answer = await rpc.call(self._stub.FindLicences, request, actor=actor)
        return _findings(answer.findings)

    async def verify(
        self,
        actor: Actor,
        matter_code: str,
        filing_id: str,
        purpose: str,
        queries: Sequence[LicenceQuery],
        *,
        agency: Agency | None = None,
    ) -> dict[str, Finding]:
        """Verify licences with evidence; the same filing and key again finds the same evidence."""
        if not queries:
            return {}
        request = verification_pb.VerifyLicencesRequest(
            matter_code=matter_code,
            filing_id=filing_id,
            purpose=purpose,
            queries=_queries(queries),
            on_behalf_of=agency.legal_person_id if agency else "",
        )
        answer = await rpc.call(self._stub.VerifyLicences, request, actor=actor)
        return _findings(answer.findings)

    async def reverify(
        self, actor: Actor, filing_id: str, purpose: str, evidence: Mapping[str, str]
    ) -> dict[str, Finding]:
        """Verify again what was verified for a filing, as who decides on it: by requirement, the evidence there is."""
        if not evidence:
            return {}
        request = verification_pb.ReverifyLicencesRequest(
            filing_id=filing_id, purpose=purpose, keys=list(evidence), evidence_ids=list(evidence.values())
        )
        answer = await rpc.call(self._stub.ReverifyLicences, request, actor=actor)
        return _findings(answer.findings)

    async def unknown_types(self, actor: Actor, licence_types: Iterable[str]) -> list[str]:
        """Those that are not published."""
        asked = sorted(licence_types)
        if not asked:
            return []
        request = verification_pb.CheckLicenceTypesRequest(licence_types=asked)
        answer = await rpc.call(self._stub.CheckLicenceTypes, request, actor=actor)
        return [licence_type for licence_type in asked if licence_type not in set(answer.known)]

    async def issue(self, wanted: IssueLicence) -> str:
        """Have the licence of a decided case issued, with our own token; the case makes it happen once."""
        request = verification_pb.IssueLicenceRequest(
            request_id=wanted.case_id,
            licence_type=wanted.licence_type,
            issuer_uscc=wanted.issuer_uscc,
            issuer_org_id=wanted.issuer_org_id,
            holder_ids=wanted.holder_ids,
            face=wanted.face,
            region_code=wanted.region_code,
            issuer_org_path=wanted.issuer_org_path,
        )
        answer = await rpc.call(self._stub.IssueLicence, request, token=await self._own.token(), timeout=5.0)
        return str(answer.licence_id)

    async def correct(self, wanted: CorrectLicence) -> str:
        """Have a licence show what is right, with our own token; asked again it stays as it is."""
        request = verification_pb.CorrectLicenceRequest(licence_id=wanted.licence_id, face=wanted.face)
        answer = await rpc.call(self._stub.CorrectLicence, request, token=await self._own.token(), timeout=5.0)
        return str(answer.licence_id)


class Accounts:
    """Organisations, posts, and how surely a person is known."""

    def __init__(self, channel: Channel) -> None:
        self._stub = AccountServiceStub(channel)

    async def departments(self, actor: Actor, region_code: str, codes: Iterable[str]) -> Mapping[str, Department]:
        """The bodies that are the named departments in a region or above it; one that is nowhere is left out."""
        request = accounts_pb.FindDepartmentsRequest(region_code=region_code, departments=sorted(codes))
        answer = await rpc.call(self._stub.FindDepartments, request, actor=actor)
        return {
            org.department: Department(
                code=org.department,
                org_id=org.org_id,
                org_path=org.org_path,
                region_code=org.region_code,
                uscc=org.uscc,
                name=org.name,
            )
            for org in answer.organisations
        }

    async def proof(self, actor: Actor) -> Proof:
        """How surely the caller's identity was proven, and when."""
        person = (await rpc.call(self._stub.WhoAmI, accounts_pb.WhoAmIRequest(), actor=actor)).person
        dated = person.HasField("proof_obtained_at")
        return Proof(person.proof_level, person.proof_obtained_at.ToDatetime(UTC) if dated else None)

    async def let_in(self, token: str) -> None:
        """Have the caller's account looked at: whoever is suspended or closed is refused."""
        await rpc.call(self._stub.WhoAmI, accounts_pb.WhoAmIRequest(), token=token)

    async def agency(self, actor: Actor, legal_person_id: str) -> Agency:
        """In which matters the caller acts for a legal person now; who does in none is refused. Never remembered."""
        request = accounts_pb.CheckAgentRequest(legal_person_id=legal_person_id)
        answer = await rpc.call(self._stub.CheckAgent, request, actor=actor)
        return Agency(answer.legal_person_id, None if answer.all_matters else frozenset(answer.matters))

    async def resolve_post(self, token: str, employee_id: str, post_id: str | None) -> Post:
        """The post an officer asks to act in, or the first when none is named; asked with the officer's own token."""
        request = accounts_pb.ResolvePostRequest(post_id=post_id or "")
        post = (await rpc.call(self._stub.ResolvePost, request, token=token)).post
        return Post(
            id=post.post_id,
            employee_id=employee_id,
            org_id=post.org_id,
            org_path=post.org_path,
            region_code=post.region_code,
            permissions=frozenset(post.permissions),
            title=post.title,
            line_paths=tuple(post.line_paths),
        )


def _queries(queries: Sequence[LicenceQuery]) -> list[licence_pb2.LicenceQuery]:
    return [
        licence_pb2.LicenceQuery(key=query.key, licence_type=query.licence_type, holder_id=query.holder_id)
        for query in queries
    ]


def _findings(findings: Iterable[licence_pb2.LicenceFinding]) -> dict[str, Finding]:
    return {
        finding.key: Finding(
            # A finding that we do not know yet is no ground to waive anything.
            found=_FOUND.get(finding.finding, Found.MISSING),
            licence_id=finding.licence_id or None,
            version=finding.version or None,
            evidence_id=finding.evidence_id or None,
            valid_until=finding.valid_until.ToDatetime(UTC) if finding.HasField("valid_until") else None,
        )
        for finding in findings
    }
