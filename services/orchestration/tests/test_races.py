"""What happens at the same moment: many rounds through the doors, and afterwards everything adds up."""

import asyncio
from datetime import timedelta

import pytest
from common.auth import system
from orchestration import main
from orchestration.events import matter_published

from .desk import RESULTS, Desk
from .makers import newborn_json
from .test_house import until
from .test_supplements import ITEM

ROUNDS = 6
UNDECIDED = {"waiting", "ready", "supplement_requested", "accepted", "special_procedure"}
ONCE = ("FilingSubmitted", "FilingClosed", "CaseReady", "CaseAccepted", "CaseDecided", "CasePruned", "CaseWithdrawn")


def statuses_of(*answers):
    return sorted(answer.status_code for answer in answers)


async def sound(desk):
    """The oracles: counts equal a recount, nothing is told or written twice, and whatever is open can move."""
    for filing in await desk.rows("select id, state, open_cases from filings where state in ('submitted', 'closed')"):
        query = "select item, status, gives_licence, waits_for, open_dependencies from cases where filing_id = :id"
        cases = await desk.rows(query, id=filing.id)
        ended = {case.item for case in cases if case.status not in UNDECIDED}
        is_open = [
            case for case in cases if case.item not in ended or (case.status == "approved" and case.gives_licence)
        ]
        assert filing.open_cases == len(is_open)
        assert (filing.state == "closed") == (not is_open)
        for case in cases:
            left = [each for each in case.waits_for if each["item"] not in ended]
            assert case.status not in UNDECIDED or case.open_dependencies == len(left), case
            assert (case.status == "waiting") == (bool(left) and case.item not in ended), case
    told = await desk.rows("select subject, type from outbox group by 1, 2 having count(*) > 1")
    assert [row for row in told if row.type.rsplit(".")[-1] in ONCE] == []
    doubled = await desk.rows("select case_id, kind from documents group by 1, 2 having count(*) > 1")
    assert [row for row in doubled if row.case_id is not None] == []
    assert not await desk.motionless()


def joined():
    """A matter whose last item waits for the approval of two others, which run side by side."""
    definition = newborn_json()
    last = next(item for item in definition["items"] if item["code"] == "maternity_allowance")
    last["depends_on"] = [{"item": "birth_certificate"}, {"item": "vaccination_certificate"}]
    return definition


@pytest.mark.parametrize("second", ["approve", "refuse"])
async def test_of_the_last_two_branches_at_once_one_opens_the_join(desk, second):
    await desk.publish(joined())
    for _ in range(ROUNDS):
        filing, cases = await desk.submitted()
        await asyncio.gather(*(desk.accept(cases[item], item) for item in (ITEM, "vaccination_certificate")))
        decide = desk.approve if second == "approve" else desk.refuse
        answers = await asyncio.gather(
            desk.approve(cases[ITEM], ITEM), decide(cases["vaccination_certificate"], "vaccination_certificate")
        )
        assert statuses_of(*answers) == [200, 200]
        statuses = await desk.statuses(filing)
        assert statuses["maternity_allowance"] == ("ready" if second == "approve" else "pruned")
    await sound(desk)


async def test_of_two_officers_who_decide_at_once_one_is_heard(desk):
    for _ in range(ROUNDS):
        filing, cases = await desk.submitted()
        await desk.accept(cases[ITEM], ITEM)
        approved, refused, ended = await asyncio.gather(
            desk.approve(cases[ITEM], ITEM), desk.refuse(cases[ITEM], ITEM), desk.terminate(cases[ITEM], ITEM)
        )
        assert statuses_of(approved, refused, ended) == [200, 409, 409]
        late = [each.json()["reason"] for each in (approved, refused, ended) if each.status_code == 409]
        assert late == ["CASE_ALREADY_DECIDED"] * 2
        now = (await desk.statuses(filing))[ITEM]
        by = {"approved": approved, "refused": refused, "terminated": ended}
        assert by[now].status_code == 200
    await sound(desk)


async def test_a_double_click_accepts_once_with_a_key_or_without(desk):
    for n in range(ROUNDS):
        _, cases = await desk.submitted()
        same = await asyncio.gather(
            *(desk.post(f"/v1/cases/{cases[ITEM]}:accept", name="health", key=f"click-{n}") for _ in range(4))
        )
        assert {answer.text for answer in same} == {same[0].text}
        assert statuses_of(*same) == [200] * 4
        other = cases["parenting_guidance"]
        clicks = await asyncio.gather(*(desk.do(other, "accept", name="health") for _ in range(4)))
        assert statuses_of(*clicks) == [200, 409, 409, 409]
        assert {each.json()["reason"] for each in clicks if each.status_code == 409} == {"CASE_ALREADY_ACCEPTED"}
    await sound(desk)


@pytest.mark.parametrize("whole", [False, True])
async def test_withdrawing_twice_at_once_withdraws_once(desk, whole):
    for _ in range(ROUNDS):
        filing, cases = await desk.submitted()

        def withdraw(filing=filing, case=cases[ITEM]):
            return desk.post(f"/v1/filings/{filing}:withdraw") if whole else desk.withdraw(case)

        answers = await asyncio.gather(*(withdraw() for _ in range(4)))
        assert statuses_of(*answers) == [200, 409, 409, 409]
        assert {each.json()["reason"] for each in answers if each.status_code == 409} == {"CASE_ALREADY_DECIDED"}
        confirmed = [
            each for each in (await desk.get(f"/v1/filings/{filing}/documents")).json() if each["kind"] == "withdrawal"
        ]
        assert len(confirmed) == 1
    await sound(desk)


async def test_after_completion_nothing_is_withdrawn(desk):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, *RESULTS)
    await desk.run_calls()
    assert (await desk.filing(filing))["state"] == "closed"
    answers = await asyncio.gather(desk.withdraw(cases[ITEM]), desk.post(f"/v1/filings/{filing}:withdraw"))
    assert [each.json()["reason"] for each in answers] == ["CASE_ALREADY_DECIDED"] * 2
    assert (await desk.filing(filing))["state"] == "closed"
    await sound(desk)


async def test_a_case_and_the_whole_filing_withdrawn_at_once(desk):
    for _ in range(ROUNDS):
        filing, cases = await desk.submitted()
        one, whole = await asyncio.gather(desk.withdraw(cases[ITEM]), desk.post(f"/v1/filings/{filing}:withdraw"))
        # Whichever comes second: the filing still has others to take back, the one case has nothing left.
        assert whole.status_code == 200
        assert one.status_code in {200, 409}
        assert set((await desk.statuses(filing)).values()) <= {"withdrawn", "pruned"}
    await sound(desk)


async def test_a_version_published_while_people_submit_is_for_later_filings(desk):
    drafts = [await desk.draft() for _ in range(ROUNDS)]
    digests = [(await desk.plan(draft))["plan_digest"] for draft in drafts]
    another = newborn_json()
    another["items"] = [item for item in another["items"] if item["code"] != "parenting_guidance"]
    published, *answers = await asyncio.gather(
        desk.post("/v1/matters", another, "bureau"),
        *(desk.submit(draft, digest) for draft, digest in zip(drafts, digests, strict=True)),
    )
    assert (published.status_code, published.json()["version"]) == (200, 2), published.text
    assert statuses_of(*answers) == [200] * ROUNDS
    assert {(each.json()["matter_version"], len(each.json()["cases"])) for each in answers} == {(1, 7)}
    later = await desk.submit(await desk.draft())
    assert (later.json()["matter_version"], len(later.json()["cases"])) == (2, 6)
    await sound(desk)


async def test_of_two_who_publish_at_once_each_version_is_one(desk):
    definitions = [{**newborn_json(), "name": f"新生儿出生一件事（{n}）"} for n in range(4)]
    answers = await asyncio.gather(*(desk.post("/v1/matters", each, "bureau") for each in definitions))
    made = [each.json()["version"] for each in answers if each.status_code == 200]
    assert made
    assert sorted(made) == list(range(2, 2 + len(made)))
    assert {each.json()["reason"] for each in answers if each.status_code != 200} <= {"MATTER_CHANGED"}


async def test_sweepers_and_people_never_lock_each_other_out(desk, clock):
    """Batches of timers over many filings, while officers and applicants act on the same ones."""
    filings = [await desk.submitted() for _ in range(8)]
    for _, cases in filings:
        assert (await desk.ask(cases[ITEM], ITEM, fields=["hospital"])).status_code == 200
        await desk.accept(cases["parenting_guidance"], "parenting_guidance")
    clock.advance(timedelta(days=40))

    async def acts(place, filing, cases):
        if place % 2:
            return [await desk.post(f"/v1/filings/{filing}:withdraw")]
        return await asyncio.gather(
            desk.do(cases[ITEM], "answer_supplement", {"form": {"hospital": "淄博市立医院"}}),
            desk.approve(cases["parenting_guidance"], "parenting_guidance"),
            desk.do(cases["vaccination_certificate"], "accept", name="cdc"),
        )

    done = await asyncio.gather(
        desk.sweep(), desk.sweep(), *(acts(n, *filings[n]) for n in reversed(range(len(filings))))
    )
    await desk.sweep()
    answers = [answer for each in done[2:] for answer in each]
    assert {answer.status_code for answer in answers} <= {200, 409}, [each.text for each in answers]
    assert await desk.sweep() == 0
    for filing, _ in filings:
        assert "supplement_requested" not in set((await desk.statuses(filing)).values())
    await sound(desk)


async def test_an_answer_and_the_end_of_its_term_at_once(desk, clock):
    filings = [await desk.submitted() for _ in range(8)]
    for _, cases in filings:
        await desk.ask(cases[ITEM], ITEM, fields=["hospital"])
    clock.advance(timedelta(days=22))
    body = {"form": {"hospital": "淄博市立医院"}}
    *answers, _, _ = await asyncio.gather(
        *(desk.do(cases[ITEM], "answer_supplement", body) for _, cases in filings), desk.sweep(), desk.sweep()
    )
    await desk.sweep()
    for (filing, _), answer in zip(filings, answers, strict=True):
        status = (await desk.statuses(filing))[ITEM]
        titles = [each["title"] for each in (await desk.get(f"/v1/filings/{filing}/documents")).json()]
        if answer.status_code == 200:
            assert (status, "终止办理决定书" in titles) == ("ready", False)
        else:
            assert (answer.json()["reason"], status) == ("SUPPLEMENT_NOT_REQUESTED", "terminated")
            assert titles.count("补正材料收件凭证") == 0
    await sound(desk)


@pytest.fixture
async def replicas(open_house, settings, who):
    """Two processes of the service, each with its relay."""
    services = [await open_house(main.opened, main.house, settings, parts=("doors", "relay")) for _ in range(2)]
    async with Desk(services[0], who) as one, Desk(services[1], who) as other:
        await one.publish()
        yield one, other


async def all_told(desk):
    """Every fact that is committed by now goes out."""

    async def nothing_left():
        return not await desk.rows("select id from outbox where published_at is null")

    await until(nothing_left)


async def test_two_processes_act_on_one_filing_and_tell_each_fact_once(replicas):
    one, other = replicas
    filing, cases = await one.submitted()
    answers = await asyncio.gather(
        *(desk.post(f"/v1/cases/{cases[ITEM]}:accept", name="health") for desk in replicas for _ in range(3))
    )
    assert statuses_of(*answers) == [200] + [409] * 5
    answers = await asyncio.gather(one.approve(cases[ITEM], ITEM), other.withdraw(cases[ITEM]))
    assert statuses_of(*answers) == [200, 409]
    await all_told(one)
    status = (await other.statuses(filing))[ITEM]
    assert status == ("approved" if answers[0].status_code == 200 else "withdrawn")
    await sound(one)


async def test_a_fact_that_commits_late_is_told_although_later_ones_are_out(replicas):
    """Ids are given before the commit: a slow transaction must not be overtaken into silence."""
    one, _ = replicas
    store = one.app.store
    async with store.begin(system("orchestration")) as slow:
        slow.unit.emit(matter_published("slow", 1, slow.unit.at))
        early = slow.unit.ids()
        for n in range(3):
            async with store.begin(system("orchestration")) as quick:
                quick.unit.emit(matter_published(f"quick{n}", 1, quick.unit.at))
        await all_told(one)
        first = await one.rows("select max(id::text) from outbox")
        assert first[0][0] > str(early)
    await all_told(one)
    rows = await one.rows("select subject from outbox where subject like '%slow%' and published_at is not null")
    assert len(rows) == 1
