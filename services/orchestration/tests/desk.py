"""What applicants, officers and operators do at the doors, in words."""

from contextlib import AsyncExitStack

from common.auth import system
from orchestration import usecases
from orchestration.domain.definition import Cause
from sqlalchemy import text

from .makers import FORM, newborn_json

RESULTS = {
    "birth_certificate": {"certificate_no": "A123456789"},
    "vaccination_certificate": {"certificate_no": "YZ2026001"},
    "household_registration": {"child_id_number": "370303190001010024"},
    "medical_insurance": {},
    "social_security_card": {"card_no": "A12345678"},
    "maternity_allowance": {},
    "parenting_guidance": {},
}
DEPARTMENT = {item["code"]: item["department"] for item in newborn_json()["items"]}


class Desk:
    """Knocks at the doors of one service as anybody."""

    def __init__(self, service, who):
        self.service = service
        self.app = service.app
        self._who = who
        self._stack = AsyncExitStack()
        self._clients = {}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self._stack.aclose()

    async def as_(self, name="", **how):
        """A client of the caller; "" is the mother."""
        key = (name, *sorted(how.items()))
        if key not in self._clients:
            caller = self._who(name, **how)
            client = self.service.http(caller.token, post=caller.post)
            self._clients[key] = await self._stack.enter_async_context(client)
        return self._clients[key]

    async def get(self, path, name="", **how):
        return await (await self.as_(name, **how)).get(path)

    async def post(self, path, body=None, name="", key=None, **how):
        headers = {"Idempotency-Key": key} if key else {}
        return await (await self.as_(name, **how)).post(path, json=body, headers=headers)

    async def publish(self, definition=None):
        answer = await self.post("/v1/matters", definition or newborn_json(), "bureau")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def draft(self, *, insured="insured", form=None):
        body = {
            "matter_code": "newborn",
            "region_code": "370303",
            "form": form or FORM,
            "determinants": {"mother_insured": insured},
        }
        answer = await self.post("/v1/filings", body)
        assert answer.status_code == 200, answer.text
        return answer.json()["filing_id"]

    async def upload(self, filing, requirement, content, *, kind="application/pdf", name=None, key=None, **how):
        headers = {"Content-Type": kind} | ({"Idempotency-Key": key} if key else {})
        params = {"requirement": requirement, "name": name or f"扫描件.{kind.rpartition('/')[2]}"}
        client = await self.as_(**how)
        return await client.post(f"/v1/filings/{filing}/attachments", params=params, content=content, headers=headers)

    async def plan(self, filing):
        answer = await self.get(f"/v1/filings/{filing}/plan")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def submit(self, filing, digest=None, **how):
        digest = digest or (await self.plan(filing))["plan_digest"]
        return await self.post(f"/v1/filings/{filing}:submit", {"plan_digest": digest}, **how)

    async def submitted(self, **how):
        """A filing with its cases by item."""
        filing = await self.draft(**how)
        answer = await self.submit(filing)
        assert answer.status_code == 200, answer.text
        return filing, {case["item"]: case["case_id"] for case in answer.json()["cases"]}

    async def proposed(self):
        """A filing that a registered birth proposed."""
        _, cases = await self.submitted()
        await self.pass_(cases, "birth_certificate", "household_registration")
        case = cases["household_registration"]
        async with self.app.store.begin(system("orchestration")) as tx:
            await usecases.propose_filings(tx, case, cause=Cause.APPROVAL, calendar=self.app.calendar)
        query = "select cast(filing_id as text) from proposals where source_case_id = cast(:case as uuid)"
        return (await self.rows(query, case=case))[0][0]

    async def accept(self, case, item):
        answer = await self.post(f"/v1/cases/{case}:accept", name=DEPARTMENT[item])
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approve(self, case, item, **how):
        return await self.post(f"/v1/cases/{case}:approve", {"result": RESULTS[item]}, DEPARTMENT[item], **how)

    async def refuse(self, case, item):
        body = {"reason_code": "NOT_LOCAL", "explanation": "父母双方均非本市户籍"}
        return await self.post(f"/v1/cases/{case}:refuse", body, DEPARTMENT[item])

    async def do(self, case, verb, body=None, name="", **how):
        """An act on a case, by the mother or an officer."""
        return await self.post(f"/v1/cases/{case}:{verb}", body, name, **how)

    async def decline(self, case, item, ground="NOT_ELIGIBLE", **more):
        body = {"ground": ground, "explanation": "经查不符合申请条件", **more}
        return await self.do(case, "decline", body, DEPARTMENT[item])

    async def terminate(self, case, item, ground="APPLICANT_SILENT"):
        return await self.do(case, "terminate", {"ground": ground, "explanation": "多次联系未果"}, DEPARTMENT[item])

    async def withdraw(self, case, **how):
        return await self.do(case, "withdraw", **how)

    async def pass_(self, cases, *items):
        for item in items:
            await self.accept(cases[item], item)
            answer = await self.approve(cases[item], item)
            assert answer.status_code == 200, answer.text

    async def filing(self, filing):
        return (await self.get(f"/v1/filings/{filing}")).json()

    async def statuses(self, filing):
        return {case["item"]: case["status"] for case in (await self.filing(filing))["cases"]}

    async def run_calls(self):
        """What the clock door does once."""
        app = self.app
        return await usecases.run_calls(app.store, app.outside, system("orchestration"), chance=lambda: 0.5)

    async def sweep(self):
        """What the clock door does until nothing is due any more; tells how many timers fired."""
        fired = 0
        while count := await usecases.sweep_timers(self.app.store, system("orchestration"), self.app.calendar):
            fired += count
        return fired

    async def ask(self, case, item, **what):
        """Ask the applicant for what is missing."""
        body = {"kind": "SUPPLEMENT_INCOMPLETE", "explanation": "请补正所列各项", **what}
        return await self.do(case, "request_supplement", body, DEPARTMENT[item])

    async def case(self, filing, item):
        return next(case for case in (await self.filing(filing))["cases"] if case["item"] == item)

    async def told(self, filing):
        """The timeline in words."""
        return [entry["text"] for entry in (await self.get(f"/v1/filings/{filing}/timeline")).json()["items"]]

    async def rows(self, query, **params):
        async with self.app.store.database.engine.connect() as connection:
            return (await connection.execute(text(query), params)).all()

    async def motionless(self):
        async with self.app.store.begin(system("orchestration")) as tx:
            return await usecases.list_motionless(tx)
