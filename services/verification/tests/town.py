"""The service, open, with the people of a small town in front of its doors."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from common import rpc
from tongban.verification.v1 import licence_pb2, licence_service_pb2, licence_service_pb2_grpc

from .accounts_door import Accounts

if TYPE_CHECKING:
    # The plugin is loaded by pytest, and must not be imported before.
    from common.testing import Clock, Issuer, Living

MOTHER = "00000000-0000-7000-8000-000000000201"
FATHER = "00000000-0000-7000-8000-000000000202"
STRANGER = "00000000-0000-7000-8000-000000000203"
ID_CARD = "11100000000013127D001"
MARRIAGE = "11100000MB9TD02153001"
POLICE = {
    "uscc": "11370303MB9TD0071N",
    "org_id": "00000000-0000-7000-8000-000000000107",
    "org_path": "zibo.zhangdian.police",
    "region_code": "370303",
}
FACE = {"name": "李静", "id_number": "370303190001010024"}
ID_CARD_TYPE = {
    "code": ID_CARD,
    "name": "居民身份证",
    "defining_body": "11100000000013127D",
    "holder_kind": "person",
    "validity_years": 20,
    "effective_from": "2026-01-01",
    "face_fields": [
        {"code": "name", "title": "姓名"},
        {"code": "id_number", "title": "公民身份号码", "kind": "id_number"},
        {"code": "address", "title": "住址", "required": False},
    ],
}
MARRIAGE_TYPE = {
    "code": MARRIAGE,
    "name": "结婚证",
    "defining_body": "11100000MB9TD02153",
    "holder_kind": "couple",
    "effective_from": "2026-01-01",
    "face_fields": [{"code": "certificate_no", "title": "结婚证字号"}],
}
ISSUER = [
    f"verification:{verb}"
    for verb in (
        "issue_licence",
        "renew_licence",
        "void_licence",
        "read_licence",
        "read_licence_type",
        "reverify_licences",
    )
]
OFFICERS = {
    "police": (ISSUER, "zibo.zhangdian.police", "370303"),
    "revealer": ([*ISSUER, "verification:reveal_licence"], "zibo.zhangdian.police", "370303"),
    "zichuan": (ISSUER, "zibo.zichuan.police", "370302"),
    "civil": (ISSUER, "zibo.zhangdian.civil_affairs", "370303"),
    "city": (ISSUER, "zibo", "370300"),
    "admin": (["verification:publish_licence_type", "verification:read_licence_type"], "zibo.big_data", "370300"),
    "powerless": ([], "zibo.zhangdian.police", "370303"),
}


@dataclass(frozen=True)
class Town:
    """Short words for what people do at the doors."""

    living: "Living"
    issuer: "Issuer"
    clock: "Clock"
    accounts: Accounts

    def citizen(self, person_id, acr=1):
        return self.issuer.token("citizen", person_id=person_id, aud="verification", acr=acr)

    def officer(self, name, acr=2):
        return self.issuer.token("gov", employee_id=name, aud="verification", acr=acr)

    def service(self, *roles, name="orchestration"):
        return self.issuer.token("gov", service=name, aud="verification", roles=list(roles))

    async def ask(self, method, path, token, body=None, **headers):
        async with self.living.http(token) as http:
            return await http.request(method, path, json=body, headers=headers)

    async def publish(self, licence_type=ID_CARD_TYPE):
        answer = await self.ask("POST", "/v1/licence-types", self.officer("admin"), licence_type)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def issue(self, *holders, request_id=None, by="police", **given):
        body = {
            "request_id": request_id or str(self.living.ids()),
            "licence_type": ID_CARD,
            "issuer": POLICE,
            "holders": list(holders),
            "face": FACE,
        } | given
        answer = await self.ask("POST", "/v1/licences", self.officer(by), body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def void(self, licence, kind="revoked"):
        body = {"version": licence["version"], "kind": kind, "explanation": "发证时提交了虚假材料"}
        return await self.ask("POST", f"/v1/licences/{licence['licence_id']}:void", self.officer("police"), body)

    async def grant(self, holder=FATHER, grantee=MOTHER, types=(ID_CARD,), matter="newborn", days=30):
        body = {
            "grantee_id": grantee,
            "licence_types": list(types),
            "matter_code": matter,
            "valid_until": (self.clock() + timedelta(days=days)).isoformat(),
        }
        answer = await self.ask("POST", "/v1/consents", self.citizen(holder), body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def call(self, method, request, token):
        async with self.living.channel() as channel:
            stub = licence_service_pb2_grpc.LicenceServiceStub(channel)
            return await rpc.call(getattr(stub, method), request, token=token)

    async def request(self, filing, holder=FATHER, grantee=MOTHER, types=(ID_CARD,), matter="newborn"):
        body = {
            "holder_id": holder,
            "licence_types": list(types),
            "matter_code": matter,
            "filing_id": str(filing),
            "purpose": "为孩子小满办理出生一件事",
        }
        answer = await self.ask("POST", "/v1/consent-requests", self.citizen(grantee), body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def answer(self, asked, verb, holder=FATHER):
        body = {"valid_until": (self.clock() + timedelta(days=30)).isoformat()} if verb == "grant" else None
        path = f"/v1/consent-requests/{asked['consent_request_id']}:{verb}"
        return await self.ask("POST", path, self.citizen(holder), body)

    async def reverify(self, filing_id, *keys, on, by="police"):
        """Verify again, on the evidence that a case stands on."""
        request = licence_service_pb2.ReverifyLicencesRequest(
            filing_id=str(filing_id),
            keys=keys,
            purpose="办件决定前复核",
            evidence_ids=[each.evidence_id for each in on],
        )
        return (await self.call("ReverifyLicences", request, self.officer(by))).findings

    async def find(self, *asked, caller=MOTHER, matter="newborn", filing="", behalf=""):
        request = licence_service_pb2.FindLicencesRequest(
            matter_code=matter, queries=queries(asked), filing_id=str(filing), on_behalf_of=behalf
        )
        return (await self.call("FindLicences", request, self.citizen(caller))).findings

    async def verify(self, filing_id, *asked, caller=MOTHER, matter="newborn", behalf=""):
        request = licence_service_pb2.VerifyLicencesRequest(
            matter_code=matter,
            filing_id=str(filing_id),
            purpose="办理新生儿出生一件事",
            queries=queries(asked),
            on_behalf_of=behalf,
        )
        return (await self.call("VerifyLicences", request, self.citizen(caller))).findings


def queries(asked):
    return [licence_pb2.LicenceQuery(key=key, licence_type=code, holder_id=holder) for key, code, holder in asked]


def said(findings):
    """The findings in short, as `verified in_force`."""
    return [
        f"{licence_pb2.Finding.Name(each.finding).removeprefix('FINDING_').lower()} {each.reason}" for each in findings
    ]


def staffed(accounts: Accounts) -> Accounts:
    for name, (permissions, org_path, region_code) in OFFICERS.items():
        accounts.hire(name, *permissions, org_path=org_path, region_code=region_code)
    return accounts
