"""Receipts and decisions in writing: one for each act, the same bytes each time, genuine or not."""

import asyncio
import threading
import time
from datetime import timedelta
from hashlib import sha256

import pytest
import typst
from common import config
from common.auth import system
from orchestration import main, usecases
from orchestration.domain.document import TEMPLATE, Kind

ITEM = "birth_certificate"
ANOTHER = "00000000-0000-7000-8000-000000000203"


def problem(answer):
    return answer.status_code, answer.json()["reason"]


async def all_papers(desk, filing):
    return (await desk.get(f"/v1/filings/{filing}/documents")).json()


async def papers(desk, filing):
    """Those of the cases; each filing has its receipt besides."""
    receipt, *others = await all_papers(desk, filing)
    assert (receipt["kind"], receipt["case_id"]) == ("receipt", None)
    return others


async def pdf(desk, paper, name="", **how):
    return await desk.get(f"/v1/documents/{paper['document_id']}.pdf", name, **how)


async def check(desk, paper, **wrong):
    return await desk.post("/v1/documents:check", {"no": paper["no"], "code": paper["code"]} | wrong, person=ANOTHER)


async def declined(desk, cases):
    body = {"ground": "NOT_COMPETENT", "explanation": "应当向户籍所在地提出", "competent_organ": "淄川区卫生健康局"}
    return await desk.post(f"/v1/cases/{cases[ITEM]}:decline", body, "health")


async def test_each_act_leaves_its_document(desk):
    filing, cases = await desk.submitted()
    assert await papers(desk, filing) == []
    await desk.pass_(cases, ITEM)
    await desk.accept(cases["household_registration"], "household_registration")
    await desk.refuse(cases["household_registration"], "household_registration")
    issued = await papers(desk, filing)
    assert [(each["kind"], each["title"]) for each in issued] == [
        ("acceptance", "受理通知书"),
        ("approval", "准予决定书"),
        ("acceptance", "受理通知书"),
        ("refusal", "不予批准决定书"),
    ]
    assert len({each["no"] for each in issued}) == len({each["code"] for each in issued}) == 4
    pages = [await pdf(desk, each) for each in issued]
    assert {page.headers["content-type"] for page in pages} == {"application/pdf"}
    assert all(page.content.startswith(b"%PDF-") for page in pages)
    assert len({page.content for page in pages}) == 4


async def test_a_case_that_is_not_taken_up_gets_a_notice(desk):
    filing, cases = await desk.submitted()
    answer = await declined(desk, cases)
    assert answer.status_code == 200, answer.text
    (paper,) = await papers(desk, filing)
    assert (paper["kind"], paper["title"]) == ("decline", "不予受理通知书")
    assert (await pdf(desk, paper)).content.startswith(b"%PDF-")


async def test_the_same_document_is_the_same_bytes(desk, clock):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    (paper,) = await papers(desk, filing)
    pages = await asyncio.gather(*(pdf(desk, paper) for _ in range(4)))
    clock.advance(timedelta(days=40))
    again = await pdf(desk, paper, "health")
    assert {page.content for page in [*pages, again]} == {pages[0].content}


async def test_many_downloads_leave_the_threads_to_others(desk, monkeypatch):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    (paper,) = await papers(desk, filing)
    compiled, begun, go_on = typst.compile, [], threading.Event()

    def slow(*args, **more):
        begun.append(threading.get_ident())
        go_on.wait()
        return compiled(*args, **more)

    async def waiting():
        """How many have read their document and wait for its page."""
        return len(await desk.rows("select 1 from journal where act = 'orchestration.read_document'"))

    monkeypatch.setattr(typst, "compile", slow)
    async with asyncio.TaskGroup() as group:
        downloads = [group.create_task(pdf(desk, paper, "health")) for _ in range(12)]
        try:
            deadline = time.monotonic() + 20
            while await waiting() < len(downloads) or not begun:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert len(begun) <= usecases.documents.PAGES_AT_ONCE
            async with asyncio.timeout(5):
                await asyncio.to_thread(int)
        finally:
            go_on.set()
    pages = [download.result() for download in downloads]
    assert {page.status_code for page in pages} == {200}
    assert len({page.content for page in pages}) == 1


async def test_only_those_concerned_read_it_and_reading_is_journalled(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    (paper,) = await papers(desk, filing)
    assert problem(await pdf(desk, paper, person=ANOTHER)) == (404, "DOCUMENT_NOT_FOUND")
    assert problem(await pdf(desk, paper, "police")) == (404, "DOCUMENT_NOT_FOUND")
    assert (await pdf(desk, paper, "health")).status_code == 200
    (entry,) = await desk.rows("select actor_id, purpose from journal where act = 'orchestration.read_document'")
    assert (entry.actor_id, entry.purpose) == ("health", "handle_case")


async def test_whoever_holds_the_paper_can_check_it(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    (paper,) = await papers(desk, filing)
    genuine = await check(desk, paper)
    assert genuine.status_code == 200, genuine.text
    assert {name: genuine.json()[name] for name in ("no", "title", "org_name", "item_name", "digest")} == {
        "no": paper["no"],
        "title": "受理通知书",
        "org_name": "health",
        "item_name": "出生医学证明(首次签发)",
        "digest": paper["digest"],
    }
    assert "case_id" not in genuine.json()
    assert problem(await check(desk, paper, code="A" * 16)) == (404, "DOCUMENT_UNKNOWN")
    assert problem(await check(desk, paper, no=paper["no"].replace("SL", "ZY"))) == (404, "DOCUMENT_UNKNOWN")
    assert problem(await check(desk, paper, code="' or 1=1")) == (422, "REQUEST_INVALID")


async def test_acts_at_once_issue_one_document(desk):
    filing, cases = await desk.submitted()
    accepting = (desk.post(f"/v1/cases/{cases[ITEM]}:accept", name="health", key=f"key{n}") for n in range(4))
    await asyncio.gather(*accepting)
    assert len(await papers(desk, filing)) == 1


@pytest.mark.parametrize("secret", ["应当向户籍所在地提出"])
async def test_what_a_document_says_rests_sealed(desk, secret):
    _, cases = await desk.submitted()
    await declined(desk, cases)
    rows = await desk.rows("select content from documents")
    assert len(rows) == 2
    assert all(secret.encode() not in row.content for row in rows)


async def last(desk, filing):
    """The newest document of a filing as a list shows it, and what its page says."""
    paper = (await all_papers(desk, filing))[-1]
    page = await pdf(desk, paper)
    assert page.content.startswith(b"%PDF-"), page.text
    async with desk.app.store.begin(system("orchestration")) as tx:
        written = await usecases.read_document(tx, paper["document_id"])
    return paper, written.content


async def test_a_filing_is_received_in_writing(desk):
    filing, cases = await desk.submitted()
    paper, says = await last(desk, filing)
    assert (paper["title"], paper["org_name"], paper["item_name"]) == ("收件凭证", "health", "新生儿出生一件事")
    assert paper["no"] == f"{(await desk.filing(filing))['filing_no']}-SJ"
    assert [each["name"] for each in says["items"]][:2] == ["出生医学证明(首次签发)", "预防接种证办理"]
    assert len(says["items"]) == len(cases)
    assert {"name": "母亲居民身份证", "standing": "waived", "ground": "MATERIAL_LICENCE_VERIFIED"} in says["materials"]
    assert problem(await pdf(desk, paper, "health")) == (404, "DOCUMENT_NOT_FOUND")
    assert (await check(desk, paper)).json()["title"] == "收件凭证"


async def test_a_supplement_is_asked_for_received_and_withdrawn_in_writing(desk):
    filing, cases = await desk.submitted()
    await desk.ask(cases[ITEM], ITEM, fields=["hospital"], materials=["father_id_card"], explanation="名称与登记不一致")
    paper, says = await last(desk, filing)
    assert (paper["title"], paper["no"][-3:]) == ("补正告知书", "-BZ")
    assert (says["fields"], says["materials"]) == (["接生机构"], ["父亲居民身份证"])
    told = {name: says[name] for name in ("reason", "due", "explanation")}
    assert told == {"reason": "SUPPLEMENT_INCOMPLETE", "due": "2026-12-14", "explanation": "名称与登记不一致"}
    await desk.do(cases[ITEM], "answer_supplement", {"form": {"hospital": "淄博市立医院"}})
    paper, says = await last(desk, filing)
    assert (paper["title"], says["fields"], says["materials"]) == ("补正材料收件凭证", ["接生机构"], ["父亲居民身份证"])
    other, cases = await desk.submitted()
    await desk.ask(cases[ITEM], ITEM, fields=["hospital"])
    await desk.do(cases[ITEM], "withdraw_request", name="health")
    paper, says = await last(desk, other)
    assert (paper["title"], says["before"]) == ("补正撤销告知书", "2026-11-23")


async def test_every_special_procedure_is_told_of_and_the_extension(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    numbers = []
    for procedure, days in (("HEARING", 20), ("TESTING", 3)):
        await desk.do(cases[ITEM], "stop_clock", {"procedure": procedure, "days": days}, "health")
        paper, says = await last(desk, filing)
        assert (paper["title"], says["reason"], says["days"]) == ("特殊程序告知书", procedure, days)
        numbers.append(paper["no"].split("-")[1])
        assert (await check(desk, paper)).status_code == 200
        await desk.do(cases[ITEM], "resume_clock", name="health")
    assert numbers == ["TS1", "TS2"]
    before = (await desk.case(filing, ITEM))["promised_due_at"][:10]
    await desk.do(cases[ITEM], "extend_limit", {"days": 5, "reason": "需要跨省核实"}, "health")
    paper, says = await last(desk, filing)
    assert (paper["title"], says["explanation"], says["days"]) == ("延长办理期限告知书", "需要跨省核实", 5)
    assert (says["before"], says["promised_due"]) == (before, "2026-12-01")
    assert (await desk.case(filing, ITEM))["explanation"] == "需要跨省核实"


async def test_what_is_withdrawn_is_confirmed_for_a_case_and_for_the_rest(desk):
    filing, cases = await desk.submitted()
    await desk.withdraw(cases["household_registration"])
    paper, says = await last(desk, filing)
    assert (paper["title"], paper["case_id"]) == ("撤回确认书", cases["household_registration"])
    assert "社会保障卡申领" in says["left_out"]
    left = set((await desk.statuses(filing)).values()) - {"pruned", "withdrawn"}
    assert left == {"ready", "waiting"}
    await desk.post(f"/v1/filings/{filing}:withdraw")
    paper, says = await last(desk, filing)
    assert (paper["title"], paper["case_id"]) == ("撤回确认书", None)
    taken_back = list((await desk.statuses(filing)).values()).count("withdrawn") - 1
    assert len(says["items"]) == taken_back >= 2


async def test_a_case_that_ends_early_ends_in_writing(desk):
    filing, cases = await desk.submitted()
    await desk.accept(cases[ITEM], ITEM)
    await desk.terminate(cases[ITEM], ITEM)
    paper, says = await last(desk, filing)
    assert (paper["title"], says["reason"], says["explanation"]) == (
        "终止办理决定书",
        "APPLICANT_SILENT",
        "多次联系未果",
    )
    assert "出生登记(户口)" in says["left_out"]


async def test_a_correction_is_told_in_writing_each_time(desk):
    filing, cases = await desk.submitted()
    item = "parenting_guidance"
    await desk.pass_(cases, ITEM)
    await desk.run_calls()
    await desk.accept(cases[item], item)
    await desk.refuse(cases[item], item)
    numbers = []
    for reason in ("父母一方为本市户籍", "父母双方均为本市户籍"):
        body = {"reason": "笔误", "explanation": reason}
        answer = await desk.do(cases[item], "correct", body, "health")
        assert answer.status_code == 200, answer.text
        paper, says = await last(desk, filing)
        assert (paper["title"], reason in says["explanation"]) == ("更正通知书", True)
        numbers.append(paper["no"])
    assert len(set(numbers)) == 2


async def test_what_happens_by_itself_is_told_in_writing_too(desk, clock):
    filing, cases = await desk.submitted()
    await desk.ask(cases[ITEM], ITEM, fields=["hospital"])
    clock.advance(timedelta(days=7, hours=9))
    await desk.sweep()
    _, asked, *deemed = await all_papers(desk, filing)
    assert asked["title"] == "补正告知书"
    assert {each["title"] for each in deemed} == {"受理通知书"}
    _, says = await last(desk, filing)
    assert (says["by_itself"], says["received"]) == (True, "2026-11-23")
    clock.advance(timedelta(days=16))
    await desk.sweep()
    paper, says = await last(desk, filing)
    assert (paper["title"], says["reason"], says["by_itself"]) == ("终止办理决定书", "SUPPLEMENT_UNANSWERED", True)
    assert len(await all_papers(desk, filing)) == 3 + len(deemed)


EDITIONS = {
    1: "2df085c13821fadc690a3c8bc1c4d18a821c73ad38fd3165c4be91702ab26bf3",
    2: "5e8de1003e99010d451673e37dc3b447b5b5ff3882717d118ee26ae025a4c2e6",
}


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_edition_never_changes(edition):
    """Documents were issued by it: another wording is another edition."""
    template = (main.LOCALE / f"document_{edition}.typ").read_bytes()
    assert sha256(template).hexdigest() == EDITIONS[edition]


def test_every_kind_has_its_title():
    sentences = config.sentences(main.LOCALE).by_reason
    template = (main.LOCALE / f"document_{TEMPLATE}.typ").read_text("utf-8")
    for kind in Kind:
        assert f'{kind}: "{sentences[f"DOCUMENT_{kind.upper()}"]}"' in template
