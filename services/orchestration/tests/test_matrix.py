"""Every door is knocked at by whom it is for, and by everybody else."""

from http import HTTPStatus

import httpx
from common.testing import Door, Matrix, Stranger, Who
from orchestration import jobs
from tongban.verification.v1 import licence_pb2

from .department import APP, CLIENT, Department
from .desk import RESULTS
from .makers import FORM, child_allowance_json, newborn_by_app

ANOTHER = "00000000-0000-7000-8000-000000000203"
NOWHERE = "00000000-0000-7000-8000-00000000dead"


class Uploading(httpx.AsyncClient):
    """Sends bytes as they are."""

    async def request(self, method, url, *, json=None, **more):
        sent = {"content": json} if isinstance(json, bytes) else {"json": json}
        return await super().request(method, url, **sent, **more)


async def file_doors(desk, others, applicants, departments):
    """The doors of attachments, at filings whose father is not in the library."""
    (mother, other_mother), (health, both) = applicants, departments
    scan, one = b"%PDF-1.7 scan", "/v1/filings/{}/attachments/{}"

    def uploading(path):
        async def given():
            fresh = await desk.draft()
            answer = await desk.upload(fresh, "father_id_card", scan)
            return path.format(fresh, answer.json()["attachment_id"]), None

        return given

    async def a_fresh_draft():
        return f"/v1/filings/{await desk.draft()}/attachments?requirement=father_id_card&name=a.pdf", scan

    others.library.findings["father_id_card"] = licence_pb2.FINDING_MISSING
    filing = await desk.draft()
    attached = (await desk.upload(filing, "father_id_card", scan)).json()["attachment_id"]
    cases = {each["item"]: each["case_id"] for each in (await desk.submit(filing)).json()["cases"]}
    others.library.findings.clear()
    pdf, to = {"Content-Type": "application/pdf"}, [other_mother]
    return [
        Door("POST", "/v1/filings/x/attachments", mother, headers=pdf, given=a_fresh_draft, strangers=to),
        Door("GET", f"/v1/filings/{filing}/attachments", mother, strangers=to),
        Door("GET", one.format(filing, attached), mother, strangers=to),
        Door("DELETE", one.format("x", "y"), mother, given=uploading(one), strangers=to),
        Door("DELETE", "/v1/filings/x", mother, given=uploading("/v1/filings/{}"), strangers=to),
        Door("GET", f"/v1/cases/{cases['birth_certificate']}/attachments/{attached}", health, strangers=both),
    ]


async def proposal_doors(desk, mother, other_mother):
    """The doors of what was filled in advance."""

    await desk.publish(child_allowance_json())
    one, to = await desk.proposed(), [other_mother]
    fresh = [one]

    def proposed(verb):
        async def given():
            # Only who is let in ends a proposal: the others may knock at the same one.
            if (await desk.filing(fresh[0]))["state"] != "proposed":
                fresh[0] = await desk.proposed()
            return f"/v1/filings/{fresh[0]}:{verb}", {"plan_digest": (await desk.plan(fresh[0]))["plan_digest"]}

        return given

    return [
        Door("GET", f"/v1/filings/{one}/proposal", mother, strangers=to),
        Door("POST", f"/v1/filings/{one}:confirm", mother, given=proposed("confirm"), strangers=to),
        Door("POST", f"/v1/filings/{one}:decline", mother, given=proposed("decline"), strangers=to),
    ]


async def test_the_matrix(desk, service, who, issuer, others):  # noqa: C901 one place for every way to prepare a door
    lenient = newborn_by_app(vaccination_certificate=APP)
    next(i for i in lenient["items"] if i["code"] == "maternity_allowance")["requirements"][-1]["necessity"] = (
        "deferrable"
    )
    await desk.publish(lenient)
    filing, cases = await desk.submitted()
    waiting = await desk.draft()
    await desk.plan(waiting)
    bureau, mother = who("bureau"), who()
    other_mother, zichuan, cdc = Stranger(who(person=ANOTHER)), Stranger(who("zichuan")), Stranger(who("cdc"))
    health = who("health")
    draft_body = {"form": FORM, "determinants": {"mother_insured": "insured"}}
    new_body = {**draft_body, "matter_code": "newborn", "region_code": "370303"}

    async def a_draft():
        return f"/v1/filings/{await desk.draft()}", draft_body

    async def a_planned_draft():
        fresh = await desk.draft()
        return f"/v1/filings/{fresh}:submit", {"plan_digest": (await desk.plan(fresh))["plan_digest"]}

    async def a_ready_case():
        _, fresh = await desk.submitted()
        return f"/v1/cases/{fresh['birth_certificate']}:accept", None

    def a_fresh_case(verb, body=None):
        async def given():
            _, fresh = await desk.submitted()
            return f"/v1/cases/{fresh['birth_certificate']}:{verb}", body

        return given

    async def a_fresh_filing():
        fresh, _ = await desk.submitted()
        return f"/v1/filings/{fresh}:withdraw", None

    def an_accepted_case(verb, body):
        async def given():
            _, fresh = await desk.submitted()
            await desk.accept(fresh["birth_certificate"], "birth_certificate")
            return f"/v1/cases/{fresh['birth_certificate']}:{verb}", body

        return given

    def an_asked_case(verb, body=None):
        async def given():
            _, fresh = await desk.submitted()
            await desk.ask(fresh["birth_certificate"], "birth_certificate", fields=["hospital"])
            return f"/v1/cases/{fresh['birth_certificate']}:{verb}", body

        return given

    def a_lenient_case(verb, body):
        async def given():
            form = {key: value for key, value in FORM.items() if key != "bank_account"}
            _, fresh = await desk.submitted(form=form)
            await desk.pass_(fresh, "birth_certificate")
            case = fresh["maternity_allowance"]
            if verb == "supply_materials":
                missing = {"missing": ["bank_account"]}
                assert (await desk.do(case, "tolerate_absence", missing, "medical_insurance")).status_code == 200
            return f"/v1/cases/{case}:{verb}", body

        return given

    def a_refused_case(verb, body):
        """One case for all: delivered and corrected as if for the first time."""

        async def given():
            refused = ended.get("case")
            if refused is None:
                _, fresh = await desk.submitted()
                refused = ended["case"] = fresh["birth_certificate"]
                await desk.accept(refused, "birth_certificate")
                await desk.refuse(refused, "birth_certificate")
            await desk.rows("update deliveries set delivered_at = null where case_id = :id returning 1", id=refused)
            ended["serial"] = ended.get("serial", 0) + 1
            return f"/v1/cases/{refused}:{verb}", {name: value.format(ended["serial"]) for name, value in body.items()}

        return given

    async def a_stopped_case():
        path, body = await an_accepted_case("stop_clock", hearing)()
        assert (await desk.post(path, body, "health")).status_code == 200
        return path.replace(":stop_clock", ":resume_clock"), None

    def act(verb, who_may, strangers, given):
        return Door("POST", f"/v1/cases/{case}:{verb}", who_may, given=given, strangers=strangers)

    insurer, hearing = who("medical_insurance"), {"procedure": "HEARING", "days": 5}
    asked = {"kind": "SUPPLEMENT_UNCLEAR", "fields": ["hospital"], "explanation": "接生机构名称不清楚"}
    answer, handed_in = {"form": {"hospital": "淄博市立医院"}}, {"handed_in": ["bank_account"]}
    case = cases["birth_certificate"]
    refusal = {"reason_code": "OTHER", "explanation": "不符合条件"}
    approval = {"result": RESULTS["birth_certificate"]}
    decline = {"ground": "NOT_NEEDED", "explanation": "依法不需要办理"}
    end = {"ground": "APPLICANT_GONE", "explanation": "申请人依法终止"}
    both = [zichuan, cdc]
    system = Department(desk.app.outside.departments._clock, [])
    others.registry.apps[APP] = system.registered(address="http://127.0.0.1:9")
    token = issuer.token("gov", service=CLIENT, aud="orchestration", roles=["orchestration:call_back"])
    app, signed, ended = Who(CLIENT, token, is_person=False), {}, {}

    def an_incident(verb):
        async def given():
            await desk.submitted()
            query = "update calls set state = 'incident' where state = 'pending' and app is not null returning id"
            call_id = (await desk.rows(query))[0][0]
            return f"/v1/operations/incidents/{call_id}:{verb}", None

        return given

    async def a_word():
        _, fresh = await desk.submitted()
        word = system.word(fresh["vaccination_certificate"], "accept")
        signed.clear()
        signed.update(system.signed(word).headers)
        return "/v1/callbacks", word

    doors = [
        Door("POST", "/v1/matters", bureau, lenient),
        Door("GET", "/v1/matters", mother),
        Door("GET", "/v1/matters/newborn", bureau),
        Door("POST", "/v1/filings", mother, new_body),
        Door("PUT", f"/v1/filings/{waiting}", mother, draft_body, given=a_draft, strangers=[other_mother]),
        Door("GET", f"/v1/filings/{waiting}/plan", mother, strangers=[other_mother]),
        Door("POST", f"/v1/filings/{waiting}:submit", mother, given=a_planned_draft, strangers=[other_mother]),
        Door("GET", "/v1/filings", mother),
        Door("GET", f"/v1/filings/{filing}", mother, strangers=[other_mother]),
        Door("GET", f"/v1/filings/{filing}/timeline", mother, strangers=[other_mother]),
        Door("GET", "/v1/cases", health),
        Door("GET", f"/v1/cases/{case}", health, strangers=both),
        Door("POST", f"/v1/cases/{case}:accept", health, given=a_ready_case, strangers=both),
        Door("POST", f"/v1/cases/{case}:approve", health, given=an_accepted_case("approve", approval), strangers=both),
        Door("POST", f"/v1/cases/{case}:reverify", health, strangers=both),
        Door("POST", f"/v1/cases/{case}:refuse", health, given=an_accepted_case("refuse", refusal), strangers=both),
        Door("POST", f"/v1/cases/{case}:decline", health, given=a_fresh_case("decline", decline), strangers=both),
        Door("POST", f"/v1/cases/{case}:terminate", health, given=a_fresh_case("terminate", end), strangers=both),
        Door("POST", f"/v1/cases/{case}:withdraw", mother, given=a_fresh_case("withdraw"), strangers=[other_mother]),
        Door("POST", f"/v1/filings/{filing}:withdraw", mother, given=a_fresh_filing, strangers=[other_mother]),
        act("request_supplement", health, both, a_fresh_case("request_supplement", asked)),
        act("withdraw_request", health, both, an_asked_case("withdraw_request")),
        act("answer_supplement", mother, [other_mother], an_asked_case("answer_supplement", answer)),
        act("tolerate_absence", insurer, both, a_lenient_case("tolerate_absence", {"missing": ["bank_account"]})),
        act("supply_materials", mother, [other_mother], a_lenient_case("supply_materials", handed_in)),
        act("stop_clock", health, both, an_accepted_case("stop_clock", hearing)),
        act("resume_clock", health, both, a_stopped_case),
        act("extend_limit", health, both, an_accepted_case("extend_limit", {"days": 5, "reason": "案情复杂"})),
        act("deliver", health, both, a_refused_case("deliver", {"mode": "window"})),
        act("correct", health, both, a_refused_case("correct", {"reason": "笔误", "explanation": "第{}次更正"})),
        Door("GET", "/v1/operations/stuck", bureau),
        Door("POST", f"/v1/operations/incidents/{case}:retry", bureau, given=an_incident("retry")),
        Door("POST", f"/v1/operations/incidents/{case}:hand_over", bureau, given=an_incident("hand_over")),
        Door("GET", "/v1/callbacks/keys", app),
        Door("POST", "/v1/callbacks", app, headers=signed, given=a_word),
    ]
    accepted = await desk.draft()
    taken = {each["item"]: each["case_id"] for each in (await desk.submit(accepted)).json()["cases"]}
    await desk.accept(taken["birth_certificate"], "birth_certificate")
    _, paper = (await desk.get(f"/v1/filings/{accepted}/documents")).json()
    named = {"no": paper["no"], "code": paper["code"]}
    doors += [
        Door("GET", f"/v1/filings/{accepted}/documents", mother, strangers=[other_mother]),
        Door("GET", f"/v1/documents/{paper['document_id']}.pdf", mother, strangers=[other_mother, *both]),
        Door("POST", "/v1/documents:check", mother, named),
    ]
    doors += await proposal_doors(desk, mother, other_mother)
    rests = f"/v1/cases/{taken['birth_certificate']}/archive"

    async def an_archived_case():
        if (await desk.get(rests, "health")).status_code != HTTPStatus.OK:
            await desk.approve(taken["birth_certificate"], "birth_certificate")
            await desk.post(f"/v1/filings/{accepted}:withdraw")
            while await desk.run_calls():
                pass
            # An app's call that another door left as an incident would hold the archive up.
            over = "update calls set state = 'done' where filing_id = cast(:id as uuid) returning 1"
            await desk.rows(over, id=accepted)
            put = (
                "update filings set closed_at = closed_at - interval '60 days' where id = cast(:id as uuid) returning 1"
            )
            await desk.rows(put, id=accepted)
            await desk.rows("update deliveries set due_at = issued_at returning 1")
            await jobs.archive_filings(desk.app)
        return rests, None

    doors.append(Door("GET", rests, health, given=an_archived_case, strangers=both))
    doors += await file_doors(desk, others, (mother, other_mother), (health, both))
    # A client of its own: the service's own adds an idempotency key where none was brought.
    async with Uploading(base_url=f"http://127.0.0.1:{service.ports.http}", trust_env=False) as http:
        matrix = Matrix(http, issuer, service="orchestration", powerless=who("powerless"))
        assert await matrix.uncovered(doors) == (set(), set())
        assert [knock for knock in await matrix.knock(doors) if not knock.right] == []
