"""The service, open, with the bodies and officers of a small city in front of its doors."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from common import rpc
from stdnum.cn import ric
from tongban.accounts.v1 import account_service_pb2_grpc

PERSON = {
    "person_id": "00000000-0000-7000-8000-000000000201",
    "name": "李静",
    "id_number": "370303190001010024",
    "phone": "19900000001",
    "proof_level": 3,
}
FATHER = {
    "person_id": "00000000-0000-7000-8000-000000000202",
    "name": "张伟",
    "id_number": "370303190001010016",
    "phone": "19900000002",
}
# Born on 1 May 2009: of age from 2 May 2027.
CHILD = {
    "person_id": "00000000-0000-7000-8000-000000000211",
    "name": "张小满",
    "id_number": "370303200905010015",
    "phone": None,
}
PURPOSE = "办理新生儿出生一件事"


def _id(number):
    return f"00000000-0000-7000-8000-{number:012d}"


# each with its id, parent, department, code and region
BODIES = {
    "zibo": (_id(101), None, "", "11370300MB9TD00128", "370300"),
    "big_data": (_id(102), "zibo", "big_data", "11370300MB28560647", "370300"),
    "zhangdian": (_id(104), "zibo", "", "11370303MB9TD00476", "370303"),
    "health": (_id(105), "zhangdian", "health", "11370303MB9TD00551", "370303"),
    "police": (_id(107), "zhangdian", "police", "11370303MB9TD0071N", "370303"),
    "zichuan": (_id(111), "zibo", "", "11370302MB9TD0119G", "370302"),
    "zichuan_police": (_id(114), "zichuan", "police", "11370302MB9TD01431", "370302"),
}
MANAGER = [
    *("accounts:manage_organisation", "accounts:manage_employee", "accounts:manage_post", "accounts:manage_account"),
]
READER = ["accounts:read_person", "accounts:read_organisation"]
REGISTRAR = [
    "accounts:register_person",
    "accounts:prove_person",
    "accounts:register_legal_person",
    "accounts:manage_guardianship",
    "accounts:merge_persons",
]
# each with the employee's id, the body and what the post may do
OFFICERS = {
    "mayor": (_id(301), "zibo", [*MANAGER, *READER, *REGISTRAR]),
    "chief": (_id(302), "zhangdian", [*MANAGER, *READER, "accounts:delegate_post", "accounts:merge_persons"]),
    "zichuan_chief": (_id(303), "zichuan", [*MANAGER, *READER]),
    "reader": (_id(304), "police", READER),
    "revealer": (_id(305), "police", [*READER, "accounts:reveal_person", "accounts:delegate_post"]),
    "powerless": (_id(306), "police", []),
}
SERVICE = [
    *(*MANAGER, *READER, *REGISTRAR, "accounts:who_am_i"),
]


def post_of(name):
    return OFFICERS[name][0].replace("-0000000003", "-0000000004")


@dataclass(frozen=True)
class City:
    """Short words for what people do at the doors."""

    living: Any
    issuer: Any
    clock: Any

    def citizen(self, person_id=PERSON["person_id"], acr=1):
        return self.issuer.token("citizen", person_id=person_id, aud="accounts", acr=acr)

    def officer(self, name, acr=2):
        return self.issuer.token("gov", employee_id=OFFICERS[name][0], aud="accounts", acr=acr)

    def service(self, *roles, name="demo-loader"):
        return self.issuer.token("gov", service=name, aud="accounts", roles=list(roles or SERVICE))

    async def ask(self, method, path, token, body=None, *, purpose="", **headers):
        sent = headers | ({"X-Purpose": quote(purpose)} if purpose else {})
        async with self.living.http(token) as http:
            return await http.request(method, path, json=body, headers=sent)

    async def tell(self, path, body, token=None):
        """Post what must be taken, and give the answer."""
        answer = await self.ask("POST", f"/v1/{path}", token or self.service(), body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def register(self, **other):
        return await self.tell("persons", PERSON | other)

    async def register_another(self, serial):
        """Register somebody with a number of his or her own."""
        number = f"37030319800101{serial:03d}"
        id_number = number + ric.calc_check_digit(f"{number}0")
        return await self.tell("persons", {"name": "李靖", "id_number": id_number, "source": "authority"})

    async def read(self, person_id=PERSON["person_id"], *, by="reader", purpose=PURPOSE):
        return await self.ask("GET", f"/v1/persons/{person_id}", self.officer(by), purpose=purpose)

    async def access_log(self, person_id=PERSON["person_id"]):
        answer = await self.ask("GET", "/v1/me/access-log", self.citizen(person_id))
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def call(self, method, request, token):
        async with self.living.channel() as channel:
            stub = account_service_pb2_grpc.AccountServiceStub(channel)
            return await rpc.call(getattr(stub, method), request, token=token)

    async def settle(self):
        for name in BODIES:
            await self.tell("organisations", body_of(name))
        for name, (employee_id, body, permissions) in OFFICERS.items():
            org_id = BODIES[body][0]
            await self.tell("employees", {"employee_id": employee_id, "name": "孙立", "org_id": org_id})
            await self.tell(
                "posts",
                {
                    "post_id": post_of(name),
                    "employee_id": employee_id,
                    "org_id": org_id,
                    "title": "经办",
                    "permissions": permissions,
                },
            )


def body_of(name):
    org_id, parent, department, uscc, region = BODIES[name]
    return {
        "org_id": org_id,
        "parent_id": BODIES[parent][0] if parent else None,
        "code": name,
        "name": f"机构{name}",
        "department": department,
        "uscc": uscc,
        "region_code": region,
    }
