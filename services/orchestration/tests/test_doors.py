"""The doors: who may, what is refused and how, what an officer sees, and what rests on disk."""

import json
from uuid import UUID

import httpx
import pytest
from common.testing import Door, Matrix, Stranger, Who
from tongban.verification.v1 import licence_pb2

from .department import APP, CLIENT, Department
from .desk import RESULTS
from .makers import FATHER, FORM, newborn_by_app, newborn_json

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
    app, signed = Who(CLIENT, token, is_person=False), {}

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
        Door("GET", "/v1/operations/stuck", bureau),
        Door("POST", f"/v1/operations/incidents/{case}:retry", bureau, given=an_incident("retry")),
        Door("POST", f"/v1/operations/incidents/{case}:hand_over", bureau, given=an_incident("hand_over")),
        Door("GET", "/v1/callbacks/keys", app),
        Door("POST", "/v1/callbacks", app, headers=signed, given=a_word),
    ]
    accepted = await desk.draft()
    taken = {each["item"]: each["case_id"] for each in (await desk.submit(accepted)).json()["cases"]}
    await desk.accept(taken["birth_certificate"], "birth_certificate")
    (paper,) = (await desk.get(f"/v1/filings/{accepted}/documents")).json()
    named = {"no": paper["no"], "code": paper["code"]}
    doors += [
        Door("GET", f"/v1/filings/{accepted}/documents", mother, strangers=[other_mother]),
        Door("GET", f"/v1/documents/{paper['document_id']}.pdf", mother, strangers=[other_mother, *both]),
        Door("POST", "/v1/documents:check", mother, named),
    ]
    doors += await file_doors(desk, others, (mother, other_mother), (health, both))
    # A client of its own: the service's own adds an idempotency key where none was brought.
    async with Uploading(base_url=f"http://127.0.0.1:{service.ports.http}", trust_env=False) as http:
        matrix = Matrix(http, issuer, service="orchestration", powerless=who("powerless"))
        assert await matrix.uncovered(doors) == (set(), set())
        assert [knock for knock in await matrix.knock(doors) if not knock.right] == []


async def test_an_officer_sees_only_what_the_item_needs(desk):
    _, cases = await desk.submitted()
    detail = (await desk.get(f"/v1/cases/{cases['parenting_guidance']}", "health")).json()
    assert {each["field"]: each["value"] for each in detail["form"]} == {
        field: FORM[field] for field in ("child_name", "birth_time", "phone")
    }
    assert detail["materials"] == []
    detail = (await desk.get(f"/v1/cases/{cases['birth_certificate']}", "health")).json()
    assert {m["code"]: m["data"].get("evidence_id") for m in detail["materials"]} == {
        "mother_id_card": "evidence mother_id_card",
        "father_id_card": "evidence father_id_card",
        "birth_registration_form": None,
    }
    assert detail["result_form"]["required"] == ["certificate_no"]


async def test_what_a_sibling_produced_is_shown_to_those_who_need_it(desk):
    _, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate", "household_registration")
    await desk.run_calls()
    registration = (await desk.get(f"/v1/cases/{cases['household_registration']}", "police")).json()
    assert registration["produced"]["birth_certificate"]["licence_id"] == f"issued for {cases['birth_certificate']}"
    card = (await desk.get(f"/v1/cases/{cases['social_security_card']}", "human_resources")).json()
    assert card["produced"]["household_registration"]["result"] == RESULTS["household_registration"]
    assert set(card["produced"]) == {"household_registration"}


async def test_reading_a_case_is_journalled_for_the_applicant(desk):
    _, cases = await desk.submitted()
    client = await desk.as_("health")
    case = cases["birth_certificate"]
    await client.get(f"/v1/cases/{case}")
    await client.get(f"/v1/cases/{case}", headers={"X-Purpose": "%E5%A4%8D%E6%A0%B8"})
    rows = await desk.rows(
        "select owner_id, purpose, org_path, actor_id from journal where act = 'orchestration.read_case' order by id"
    )
    assert [(row.owner_id[-3:], row.purpose, row.org_path, row.actor_id) for row in rows] == [
        ("201", "handle_case", "zibo.zhangdian.health", "health"),
        ("201", "复核", "zibo.zhangdian.health", "health"),
    ]


async def test_lists_are_scoped_filtered_and_paged(desk):
    for _ in range(3):
        await desk.submitted()
    seen, cursor = [], None
    while True:
        query = "/v1/cases?page_size=2&status=ready" + (f"&cursor={cursor}" if cursor else "")
        page = (await desk.get(query, "health")).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 6 == len({case["case_id"] for case in seen})
    assert {case["org_path"] for case in seen} == {"zibo.zhangdian.health"}
    assert len((await desk.get("/v1/cases?page_size=100", "bureau")).json()["items"]) == 21
    assert (await desk.get("/v1/cases", "zichuan")).json()["items"] == []
    first = (await desk.get("/v1/filings?page_size=2")).json()
    rest = (await desk.get(f"/v1/filings?cursor={first['next_cursor']}")).json()
    assert [len(first["items"]), len(rest["items"])] == [2, 1]
    assert (await desk.get("/v1/filings", person=ANOTHER)).json()["items"] == []
    assert (await desk.get("/v1/cases?cursor=nonsense", "health")).json()["reason"] == "CURSOR_INVALID"


WRONG = [
    ({"child_name": None}, {"child_name"}),
    ({"phone": "12345"}, {"phone"}),
    ({"birth_time": "yesterday"}, {"birth_time"}),
    ({"birth_time": "2026-02-27T08:30:00"}, {"birth_time"}),
    ({"father_id": "not-an-id"}, {"father_id"}),
    ({"child_sex": "x"}, {"child_sex"}),
    ({"370303190001010016": "x"}, {"*"}),
    ({"child_name": ["x"], "bank_account": "1"}, {"child_name", "bank_account"}),
]


@pytest.mark.parametrize(("change", "fields"), WRONG)
async def test_a_wrong_form_names_the_fields_and_never_what_was_in_them(desk, change, fields):
    form = {key: value for key, value in {**FORM, **change}.items() if value is not None}
    body = {
        "matter_code": "newborn",
        "region_code": "370303",
        "form": form,
        "determinants": {"mother_insured": "insured"},
    }
    answer = await desk.post("/v1/filings", body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "DRAFT_INVALID")
    assert {error["field"] for error in answer.json()["data"]["errors"]} == fields
    for value in change.values():
        assert str(value) not in answer.text or value in {"x", "1"}
    assert (await desk.rows("select count(*) from filings"))[0][0] == 0


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b'{"matter_code": "newborn"}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {"a": NaN}, "determinants": {}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {"a": 1e999}, "determinants": {}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {"a": 1' + b"0" * 400 + b'}, "determinants": {}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
    b'{"matter_code": "newborn", "region_code": "370303", "form": {"child_name": "\\u0000"}, "determinants": {}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {"child_name": "\\ud800"}, "determinants": {}}',
    b'{"matter_code": "NEWBORN", "region_code": "370303", "form": {}, "determinants": {}}',
    b'{"matter_code": "newborn", "region_code": "3703030", "form": {}, "determinants": {}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {}, "determinants": {"mother_insured": 1}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {}, "determinants": {"x y": "a"}}',
    b'{"matter_code": "newborn", "region_code": "370303", "form": {}, "determinants": {}, "more": 1}',
]


@pytest.mark.parametrize("body", BAD_BODIES)
async def test_a_bad_body_is_refused_without_effect(desk, body):
    client = await desk.as_()
    answer = await client.post("/v1/filings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["reason"]
    assert (await desk.rows("select count(*) from filings"))[0][0] == 0


async def test_unknown_things_are_not_found(desk):
    assert (await desk.get("/v1/matters/wedding")).json()["reason"] == "MATTER_NOT_FOUND"
    assert (await desk.get(f"/v1/filings/{NOWHERE}")).json()["reason"] == "FILING_NOT_FOUND"
    assert (await desk.get(f"/v1/cases/{NOWHERE}", "health")).json()["reason"] == "CASE_NOT_FOUND"
    assert (await desk.get("/v1/filings/7")).status_code == 422
    body = {"matter_code": "wedding", "region_code": "370303", "form": {}, "determinants": {}}
    assert (await desk.post("/v1/filings", body)).json()["reason"] == "MATTER_NOT_FOUND"


async def test_a_result_must_fit_the_item(desk):
    _, cases = await desk.submitted()
    case = cases["birth_certificate"]
    await desk.accept(case, "birth_certificate")
    for result in ({}, {"certificate_no": "1"}, {"certificate_no": "A123456789", "more": 1}):
        answer = await desk.post(f"/v1/cases/{case}:approve", {"result": result}, "health")
        assert (answer.status_code, answer.json()["reason"]) == (422, "RESULT_INVALID")
    assert (await desk.approve(case, "birth_certificate")).status_code == 200


async def test_a_definition_with_problems_is_refused_with_all_of_them(desk, others):
    broken = newborn_json()
    broken["items"][2]["depends_on"] = [{"item": "nothing"}]
    broken["items"][3]["promised_days"] = 11
    broken["form"]["properties"]["phone"]["type"] = "telephone"
    answer = await desk.post("/v1/matters", broken, "bureau")
    assert (answer.status_code, answer.json()["reason"]) == (422, "DEFINITION_INVALID")
    problems = answer.json()["data"]["problems"]
    assert {"DEPENDENCY_UNKNOWN", "PROMISE_BEYOND_LAW", "SCHEMA_MALFORMED"} <= {p["code"] for p in problems}
    others.library.unpublished.add("11100000MB9TD02153001")
    answer = await desk.post("/v1/matters", {**newborn_json(), "name": "x"}, "bureau")
    assert answer.json()["data"]["problems"] == [
        {"code": "LICENCE_TYPE_UNKNOWN", "where": "", "data": {"licence_type": "11100000MB9TD02153001"}}
    ]
    assert (await desk.post("/v1/matters", {"code": "x"}, "bureau")).json()["reason"] == "REQUEST_INVALID"


async def test_a_region_without_the_department_is_told(desk, others):
    others.departments.missing.add("police")
    answer = await desk.get(f"/v1/filings/{await desk.draft()}/plan")
    assert (answer.status_code, answer.json()["reason"]) == (409, "DEPARTMENT_MISSING")


async def test_a_service_that_is_away_is_told_as_such(desk, others, monkeypatch):
    filing = await desk.draft()
    monkeypatch.setitem(others.departments.__dict__, "missing", None)
    answer = await desk.get(f"/v1/filings/{filing}/plan")
    assert (answer.status_code, answer.json()["reason"]) == (503, "PEER_UNAVAILABLE")


def spelled(value):
    return json.dumps(value, default=str, ensure_ascii=False).encode()


async def test_personal_data_rests_sealed_and_stays_out_of_facts_and_journal(desk):
    _, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    await desk.accept(cases["household_registration"], "household_registration")
    await desk.refuse(cases["household_registration"], "household_registration")
    secrets = [FORM[field] for field in ("child_name", "mother_name", "phone", "bank_account", "household_address")]
    secrets += ["A123456789", "父母双方均非本市户籍", FATHER]
    tables = ("filings", "cases", "calls", "journal", "idempotency", "serials", "outbox")
    for table in tables:
        for row in await desk.rows(f"select * from {table}"):
            for name, value in row._mapping.items():
                shown = (
                    value if isinstance(value, bytes) else json.dumps(value, default=str, ensure_ascii=False).encode()
                )
                for secret in secrets:
                    # The father's account is an id, not personal data: the plan names whose licence was verified.
                    if secret is FATHER and (table, name) in {("filings", "plan"), ("cases", "materials")}:
                        continue
                    assert secret.encode() not in shown, (table, name)


async def test_ids_of_cases_are_in_order_of_time(desk):
    _, cases = await desk.submitted()
    assert all(UUID(case).version == 7 for case in cases.values())
