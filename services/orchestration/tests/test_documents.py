"""Receipts and decisions in writing: one for each act, the same bytes each time, genuine or not."""

import asyncio
from datetime import timedelta

import pytest

ITEM = "birth_certificate"
ANOTHER = "00000000-0000-7000-8000-000000000203"


def problem(answer):
    return answer.status_code, answer.json()["reason"]


async def papers(desk, filing):
    return (await desk.get(f"/v1/filings/{filing}/documents")).json()


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
    (row,) = await desk.rows("select content from documents")
    assert secret.encode() not in row.content
