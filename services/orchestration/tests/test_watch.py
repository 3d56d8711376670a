"""Licences that materials were waived for change before the decision: the officer sees it and looks again."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from common.auth import system
from common.inbox import Fact
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from orchestration import jobs
from orchestration.consumers import mark_renewed, mark_voided
from orchestration.domain.plan import Finding, Found
from orchestration.domain.refusals import EvidenceChanged, EvidenceUnchanged
from orchestration.domain.watch import Acknowledgement, Alarm, Change, Watch, refuse_changed, reverified
from tongban.orchestration.v1 import evidence_events_pb2 as evidence_pb
from tongban.verification.v1 import licence_events_pb2 as pb
from tongban.verification.v1 import licence_pb2

from .desk import RESULTS

FATHERS = "licence of father_id_card"
ITEM = "birth_certificate"
KNOWN = {"requirements": ["father_id_card"], "reason": "已电话核实，新证信息一致"}


@pytest.fixture
def told(desk, clock, ids):
    """Deliver a fact of verification, twice, as the bus may."""

    async def tell(licence_id=FATHERS, version=1, *, renewed=False):
        kind = pb.LicenceRenewed if renewed else pb.LicenceVoided
        handle = mark_renewed if renewed else mark_voided
        body = kind(licence_id=licence_id, version=version, licence_type="11100000000013127D001")
        fact = Fact(UUID(int=ids().int), body, clock(), "service:verification", "")
        durable = f"orchestration-{handle.__name__}"
        for _ in range(2):
            async with desk.app.store.begin(system("orchestration"), once=[fact.id], consumer=durable) as tx:
                if fact.id in tx.unit.fresh:
                    await handle(desk.app, tx, fact)
        # However it comes about that it is told again, it is no news.
        async with desk.app.store.begin(system("orchestration")) as tx:
            await handle(desk.app, tx, fact)

    return tell


async def detail(desk, case):
    return (await desk.get(f"/v1/cases/{case}", "health")).json()


async def alarms(desk, case):
    return [(each["requirement"], each["change"]) for each in (await detail(desk, case))["alarms"]]


async def listed(desk):
    items = (await desk.get("/v1/cases?page_size=100", "health")).json()["items"]
    return {each["item"] for each in items if each["evidence_changed"]}


async def approve(desk, case, acknowledged=None, **how):
    body = {"result": RESULTS[ITEM]} | ({"acknowledged": acknowledged} if acknowledged else {})
    return await desk.post(f"/v1/cases/{case}:approve", body, "health", **how)


async def reverify(desk, case, **how):
    return await desk.post(f"/v1/cases/{case}:reverify", None, "health", **how)


@pytest.fixture
async def accepted(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    return filing, cases[ITEM]


async def test_a_voided_licence_is_seen_and_holds_the_approval(desk, told, accepted):
    filing, case = accepted
    assert (await alarms(desk, case), await listed(desk)) == ([], set())
    await told()
    assert await alarms(desk, case) == [("father_id_card", "voided")]
    assert (await detail(desk, case))["alarms"][0]["text"] == "已核验的证照已被撤销或注销"
    assert ITEM in await listed(desk)
    refused = await approve(desk, case)
    assert (refused.status_code, refused.json()["reason"]) == (409, "EVIDENCE_CHANGED")
    assert refused.json()["data"]["changes"] == [{"requirement": "father_id_card", "change": "voided"}]
    bodies = await desk.rows("select body from outbox where type like '%CaseEvidenceChanged' order by id")
    facts = [evidence_pb.CaseEvidenceChanged.FromString(row.body) for row in bodies]
    assert [(f.filing_id, f.requirement, f.change) for f in facts if f.case_id == case] == [
        (filing, "father_id_card", "voided")
    ]
    timeline = (await desk.get(f"/v1/filings/{filing}/timeline")).json()["items"]
    assert "“出生医学证明(首次签发)”所依据的证照发生变化" in [entry["text"] for entry in timeline]
    # A case may be refused whatever became of the evidence.
    assert (await desk.refuse(case, ITEM)).status_code == 200
    assert ITEM not in await listed(desk)


async def test_a_renewed_licence_alarms_and_an_older_version_does_not(desk, told, accepted, others):
    _, case = accepted
    await told(version=1, renewed=True)
    assert await alarms(desk, case) == []
    await told(version=2, renewed=True)
    assert await alarms(desk, case) == [("father_id_card", "renewed")]
    others.library.versions["father_id_card"] = 2
    again = await reverify(desk, case)
    assert (again.status_code, again.json()["alarms"]) == (200, [])
    material = next(m for m in (await detail(desk, case))["materials"] if m["code"] == "father_id_card")
    assert (material["data"]["version"], material["data"]["evidence_id"]) == (2, "evidence again father_id_card")
    assert ("reverify", "health") in others.library.callers
    assert (await approve(desk, case)).status_code == 200


async def test_an_expired_licence_needs_no_news(desk, clock, others):
    end = Timestamp()
    end.FromDatetime(clock() + timedelta(days=2))
    others.library.valid_until["father_id_card"] = end
    _, cases = await desk.submitted()
    case = cases[ITEM]
    await desk.accept(case, ITEM)
    assert await alarms(desk, case) == []
    clock.advance(timedelta(days=2))
    assert await alarms(desk, case) == [("father_id_card", "expired")]
    assert ITEM in await listed(desk)
    assert (await approve(desk, case)).json()["reason"] == "EVIDENCE_CHANGED"
    del others.library.valid_until["father_id_card"]
    assert (await reverify(desk, case)).json()["alarms"] == []
    assert (await approve(desk, case)).status_code == 200


async def test_what_no_longer_verifies_keeps_its_alarm_until_acknowledged(desk, told, accepted, others):
    _, case = accepted
    await told()
    others.library.findings["father_id_card"] = licence_pb2.FINDING_INVALID
    again = await reverify(desk, case)
    assert [(each["requirement"], each["change"]) for each in again.json()["alarms"]] == [("father_id_card", "voided")]
    assert (await approve(desk, case)).json()["reason"] == "EVIDENCE_CHANGED"
    wrong = await approve(desk, case, {**KNOWN, "requirements": ["mother_id_card", "father_id_card"]})
    assert (wrong.status_code, wrong.json()["reason"]) == (422, "EVIDENCE_UNCHANGED")
    assert (await approve(desk, case, KNOWN)).status_code == 200
    (kept,) = await desk.rows(
        "select acknowledgement, acknowledged_at from evidence_watches where acknowledged_at > '1999-1-1'"
    )
    assert KNOWN["reason"].encode() not in kept.acknowledgement
    assert (await reverify(desk, case)).json()["reason"] == "CASE_ALREADY_DECIDED"


async def test_a_change_told_before_the_filing_came_in_is_not_lost(desk, told):
    # The licence was verified, then voided, and the news was here before the submission was.
    await told()
    _, cases = await desk.submitted()
    assert await alarms(desk, cases[ITEM]) == [("father_id_card", "voided")]


async def test_other_licences_and_decided_cases_are_left_alone(desk, told, accepted):
    _, case = accepted
    await told("licence of nobody")
    assert await alarms(desk, case) == []
    assert (await approve(desk, case)).status_code == 200
    await told()
    rows = await desk.rows("select subject_id from journal where act = 'orchestration.mark_change'")
    assert case not in {row.subject_id for row in rows}
    assert await alarms(desk, case) == []


async def test_a_change_and_an_approval_at_once_are_in_some_order(desk, told):
    for _ in range(6):
        await desk.rows("select 1")
        _, cases = await desk.submitted()
        case = cases[ITEM]
        await desk.accept(case, ITEM)
        version = (await desk.rows("select coalesce(max(version), 1) + 1 from licence_changes"))[0][0]
        await desk.app.store.database.engine.dispose()
        answer, _ = await asyncio.gather(approve(desk, case), told(version=version, renewed=True))
        marked = await desk.rows(
            "select 1 from journal where act = 'orchestration.mark_change' and subject_id = :case", case=case
        )
        # Either it was decided before, and nobody is told; or it was marked before, and is not decided.
        assert (answer.status_code == 200) is (not marked), answer.text
        async with desk.app.store.begin(system("orchestration")) as tx:
            await tx.unit.connection.exec_driver_sql("update evidence_watches set version = 999999")


async def test_reverifying_twice_is_one_answer_and_the_applicant_reads_of_it(desk, told, accepted, others):
    filing, case = accepted
    await told()
    others.library.licences["father_id_card"] = "another licence"
    first, second = await reverify(desk, case, key="once"), await reverify(desk, case, key="once")
    assert first.json() == second.json() == {"case_id": case, "alarms": []}
    rows = await desk.rows("select owner_id from journal where act = 'orchestration.reverify_case'")
    assert len(rows) == 1
    entries = (await desk.get(f"/v1/filings/{filing}/timeline")).json()["items"]
    assert [entry["text"] for entry in entries].count("“出生医学证明(首次签发)”的证照已重新核验") == 1


@pytest.mark.usefixtures("accepted")
async def test_changes_that_nothing_stands_on_are_forgotten(desk, told, clock):
    await told()
    await told("licence of nobody")
    await jobs.forget_changes(desk.app)
    assert len(await desk.rows("select 1 from licence_changes")) == 2
    clock.advance(timedelta(days=2))
    await jobs.forget_changes(desk.app)
    assert [row.licence_id for row in await desk.rows("select licence_id from licence_changes")] == [FATHERS]


CODES = st.sets(st.sampled_from("abcdef"))


@given(alarming=CODES, named=CODES)
def test_nothing_is_approved_unseen(alarming, named):
    alarms = [Alarm(code, Change.VOIDED, None) for code in alarming]
    known = Acknowledgement(tuple(named), "x") if named else None
    if named == alarming:
        refuse_changed("case", alarms, known)
        return
    with pytest.raises((EvidenceChanged, EvidenceUnchanged)):
        refuse_changed("case", alarms, known)


@pytest.mark.parametrize("found", list(Found))
def test_only_what_verifies_replaces_what_is_watched(found):
    watch = Watch("case", "a", "licence", 1, None)
    after = reverified(watch, Finding(found, "other", 2))
    assert (after.licence_id == "other") is (found is Found.VERIFIED)
    assert after.finding is found
