"""The doors: who may, what is refused and how, what an officer sees, and what rests on disk."""

import json
from uuid import UUID

import pytest

from .desk import RESULTS
from .makers import FATHER, FORM, newborn_json

ANOTHER = "00000000-0000-7000-8000-000000000203"
NOWHERE = "00000000-0000-7000-8000-00000000dead"


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
    ({"father_id": None}, {"father_id"}),
    ({"parents": "mother_alone"}, {"father_name", "father_id", "surname_from"}),
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
