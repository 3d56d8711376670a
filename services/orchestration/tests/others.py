# ruff: noqa: ARG002 (servicers are called by name)
"""The services that orchestration asks, as small real gRPC servers: a licence library and a tree of departments."""

import base64
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from tongban.accounts.v1 import account_pb2, account_service_pb2, account_service_pb2_grpc
from tongban.verification.v1 import licence_pb2, licence_service_pb2, licence_service_pb2_grpc
from tongban.workbench.v1 import app_pb2, app_service_pb2, app_service_pb2_grpc

ORGS = {
    "health": ("105", "11370303MB9TD00551"),
    "cdc": ("106", "12370303MB9TD0063Q"),
    "police": ("107", "11370303MB9TD0071N"),
    "medical_insurance": ("108", "11370303MB9TD008XE"),
    "human_resources": ("109", "11370303MB9TD0098E"),
}
EVERYTHING = (
    "read_matter",
    "publish_matter",
    "read_case",
    "accept_case",
    "decide_case",
    "read_document",
    "approve_extension",
    "deliver_case",
    "operate",
)


def org_id(code: str) -> str:
    return f"00000000-0000-7000-8000-000000000{ORGS[code][0]}"


def claims_of(context) -> dict:
    """The token as the other service would read it; whether it is forwarded at all is part of the test."""
    token = dict(context.invocation_metadata())["authorization"].removeprefix("Bearer ")
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def refuse(context, reason) -> None:
    """Say no as a service of ours does."""
    status = status_pb2.Status(code=grpc.StatusCode.PERMISSION_DENIED.value[0], message="no")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="accounts.tongban"))
    await context.abort_with_status(rpc_status.to_status(status))


@dataclass
class Library(licence_service_pb2_grpc.LicenceServiceServicer):
    """Holds every licence unless told otherwise; issues each request once."""

    findings: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)
    valid_until: dict = field(default_factory=dict)
    unpublished: set[str] = field(default_factory=set)
    failing: int = 0
    issued: dict[str, licence_service_pb2.IssueLicenceRequest] = field(default_factory=dict)
    corrected: dict[str, dict[str, str]] = field(default_factory=dict)
    callers: list[tuple[str, str]] = field(default_factory=list)
    # Whose licences were asked for, and by whom for which legal person.
    queries: list[tuple[str, str]] = field(default_factory=list)
    asked_for: list[tuple[str, str]] = field(default_factory=list)

    def finding(self, query, evidence: str = ""):
        found = self.findings.get(query.key, licence_pb2.FINDING_VERIFIED)
        if found != licence_pb2.FINDING_VERIFIED:
            return licence_pb2.LicenceFinding(key=query.key, finding=found)
        return licence_pb2.LicenceFinding(
            key=query.key,
            finding=found,
            valid_until=self.valid_until.get(query.key),
            licence_id=self.licences.get(query.key, f"licence of {query.key}"),
            version=self.versions.get(query.key, 1),
            evidence_id=evidence,
        )

    def remember(self, verb, request, context):
        person = claims_of(context)["person_id"]
        self.callers.append((verb, person))
        self.queries += [(query.key, query.holder_id) for query in request.queries]
        self.asked_for.append((person, request.on_behalf_of))

    async def FindLicences(self, request, context):  # noqa: N802
        self.remember("find", request, context)
        return licence_service_pb2.FindLicencesResponse(findings=[self.finding(q) for q in request.queries])

    async def VerifyLicences(self, request, context):  # noqa: N802
        self.remember("verify", request, context)
        findings = [self.finding(q, f"evidence {q.key}") for q in request.queries]
        return licence_service_pb2.VerifyLicencesResponse(findings=findings)

    async def ReverifyLicences(self, request, context):  # noqa: N802
        self.callers.append(("reverify", claims_of(context)["employee_id"]))
        # the evidence that the case stands on, as it was told
        if [each.rpartition(" ")[2] for each in request.evidence_ids] != list(request.keys):
            await context.abort(grpc.StatusCode.NOT_FOUND, "EVIDENCE_NOT_FOUND")
        queries = [licence_pb2.LicenceQuery(key=key, holder_id=key) for key in request.keys]
        findings = [self.finding(q, f"evidence again {q.key}") for q in queries]
        return licence_service_pb2.ReverifyLicencesResponse(findings=findings)

    async def CheckLicenceTypes(self, request, context):  # noqa: N802
        known = [each for each in request.licence_types if each not in self.unpublished]
        return licence_service_pb2.CheckLicenceTypesResponse(known=known)

    async def IssueLicence(self, request, context):  # noqa: N802
        self.callers.append(("issue", claims_of(context)["azp"]))
        if self.failing:
            self.failing -= 1
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "not now")
        self.issued.setdefault(request.request_id, request)
        return licence_service_pb2.IssueLicenceResponse(licence_id=f"issued for {request.request_id}")

    async def CorrectLicence(self, request, context):  # noqa: N802
        self.callers.append(("correct", claims_of(context)["azp"]))
        if self.failing:
            self.failing -= 1
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "not now")
        self.corrected[request.licence_id] = dict(request.face)
        return licence_service_pb2.CorrectLicenceResponse(licence_id=request.licence_id, version=2)


@dataclass
class Departments(account_service_pb2_grpc.AccountServiceServicer):
    """The departments of Zhangdian, and whoever works there."""

    posts: dict[str, account_pb2.Post] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    proof_level: int = 3
    proof_obtained_at: datetime | None = None
    suspended: set[str] = field(default_factory=set)
    away: bool = False
    # The matters in which a person acts for a legal person; None is all.
    agencies: dict[tuple[str, str], set[str] | None] = field(default_factory=dict)

    def employ(self, employee: str, org_path: str, region_code: str, permissions=EVERYTHING) -> None:
        self.posts[employee] = account_pb2.Post(
            post_id=f"post-{employee}",
            employee_id=employee,
            org_id="org",
            org_path=org_path,
            region_code=region_code,
            permissions=[f"orchestration:{each}" for each in permissions],
        )

    async def WhoAmI(self, request, context):  # noqa: N802
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if claims_of(context)["person_id"] in self.suspended:
            await refuse(context, "ACCOUNT_SUSPENDED")
        person = account_pb2.Person(person_id=claims_of(context)["person_id"], proof_level=self.proof_level)
        if self.proof_obtained_at is not None:
            person.proof_obtained_at.FromDatetime(self.proof_obtained_at.astimezone(UTC))
        return account_service_pb2.WhoAmIResponse(person=person)

    async def CheckAgent(self, request, context):  # noqa: N802
        asked = (claims_of(context)["person_id"], request.legal_person_id)
        if asked not in self.agencies:
            await refuse(context, "AGENT_NOT_ENTITLED")
        matters = self.agencies[asked]
        return account_service_pb2.CheckAgentResponse(
            legal_person_id=request.legal_person_id, all_matters=matters is None, matters=sorted(matters or ())
        )

    async def ResolvePost(self, request, context):  # noqa: N802
        return account_service_pb2.ResolvePostResponse(post=self.posts[claims_of(context)["employee_id"]])

    async def FindDepartments(self, request, context):  # noqa: N802
        found = [
            account_pb2.Organisation(
                org_id=org_id(code),
                name=code,
                uscc=ORGS[code][1],
                department=code,
                region_code=request.region_code,
                org_path=f"zibo.zhangdian.{code}",
            )
            for code in request.departments
            if code in ORGS and code not in self.missing
        ]
        return account_service_pb2.FindDepartmentsResponse(organisations=found)


@dataclass
class Registry(app_service_pb2_grpc.AppServiceServicer):
    """The apps that are registered."""

    apps: dict[str, app_pb2.App] = field(default_factory=dict)

    async def GetApps(self, request, context):  # noqa: N802
        assert claims_of(context)["azp"] == "orchestration"
        return app_service_pb2.GetAppsResponse(apps=[self.apps[each] for each in request.codes if each in self.apps])


@dataclass
class Others:
    """Both services, and where they listen."""

    library: Library
    departments: Departments
    registry: Registry = field(default_factory=Registry)
    target: str = ""


@asynccontextmanager
async def listening():
    others = Others(Library(), Departments())
    server = grpc.aio.server()
    licence_service_pb2_grpc.add_LicenceServiceServicer_to_server(others.library, server)
    account_service_pb2_grpc.add_AccountServiceServicer_to_server(others.departments, server)
    app_service_pb2_grpc.add_AppServiceServicer_to_server(others.registry, server)
    others.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    for code in ORGS:
        others.departments.employ(code, f"zibo.zhangdian.{code}", "370303")
    others.departments.employ("bureau", "zibo", "370300")
    others.departments.employ("zichuan", "zibo.zichuan.police", "370302")
    others.departments.employ("powerless", "zibo.zhangdian.police", "370303", permissions=())
    try:
        yield others
    finally:
        await server.stop(None)
