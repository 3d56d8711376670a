"""What services tell to people who did not ask: applicants, holders, and whoever has the todo; each thing once."""

import pytest
from uuid_utils.compat import uuid7

from .office import (
    MOTHER,
    STRANGER,
    claim,
    consent_requested,
    corrected,
    decided,
    declined,
    delivered,
    evidence_changed,
    supplement_requested,
    supplemented,
    terminated,
)

ABOUT = {"applicant_id": MOTHER, "item_name": "出生登记(户口)", "case_no": "370303-1"}


async def told(office, name=MOTHER):
    items = (await office.ask("GET", "/v1/messages", name)).json()["items"]
    return [(message["kind"], message["title"], message["body"]) for message in items]


@pytest.mark.parametrize(
    ("fact", "kind", "title", "words"),
    [
        (supplement_requested, "case_supplement_requested", "事项需要补正", "请在 2026-12-03 前"),
        (declined, "case_declined", "事项不予受理", "救济途径"),
        (terminated, "case_terminated", "事项已终止", "已终止办理"),
        (delivered, "case_delivered", "文书已送达", "文书已送达"),
        (corrected, "case_corrected", "决定书已更正", "决定内容不变"),
    ],
)
async def test_the_applicant_hears_of_it_once(office, fact, kind, title, words):
    happened = fact(str(uuid7()), **ABOUT)
    await office.orchestration.tell(happened, happened)
    ((told_kind, told_title, body),) = await told(office)
    assert (told_kind, told_title) == (kind, title)
    assert body.startswith("您申请的“出生登记(户口)”（办件编号 370303-1）")
    assert words in body
    assert await told(office, STRANGER) == []


async def test_who_took_a_document_online_is_not_told_of_it(office):
    await office.orchestration.tell(delivered(str(uuid7()), mode="online", **ABOUT))
    assert await told(office) == []


async def test_a_holder_is_told_that_consent_is_asked(office):
    asked = consent_requested(STRANGER)
    await office.orchestration.tell(asked, asked)
    ((kind, title, body),) = await told(office, STRANGER)
    assert (kind, title) == ("consent_requested", "有授权请求待答复")
    assert "是否同意由您决定" in body
    assert await told(office) == []


async def test_whoever_has_the_todo_is_told_that_evidence_changed(office):
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    voided = evidence_changed(todo["source_id"])
    renewed = evidence_changed(todo["source_id"], change="renewed")
    other = evidence_changed(todo["source_id"], requirement="marriage_certificate", change="lost")
    await office.orchestration.tell(voided, voided, renewed, other)
    bodies = {body for _, _, body in await told(office, "police")}
    assert bodies == {
        f"“{todo['title']}”免提交材料所依据的证照{change}，决定前请重新核验。"
        for change in ("已失效", "已变更", "有变化")
    }
    assert await told(office, "police2") == []


async def test_of_a_todo_that_nobody_has_everybody_is_told_and_of_a_done_one_nobody(office):
    open_one, done = await office.open_one(), await office.open_one()
    await office.orchestration.tell(decided(done["source_id"]))
    facts = [evidence_changed(case_id) for case_id in (open_one["source_id"], done["source_id"], str(uuid7()))]
    await office.orchestration.tell(*facts)
    for name in ("police", "police2"):
        assert [kind for kind, _, _ in await told(office, name)] == ["case_evidence_changed"]
    assert await told(office, "civil") == []


async def test_whoever_has_the_todo_is_told_that_the_applicant_answered(office):
    todo = await office.open_one()
    await office.ask("POST", claim(todo), "police2")
    await office.orchestration.tell(supplement_requested(todo["source_id"]), supplemented(todo["source_id"]))
    assert [title for _, title, _ in await told(office, "police2")] == ["申请人已补正"]
    assert await told(office, "police") == []
