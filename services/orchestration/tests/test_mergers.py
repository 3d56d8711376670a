"""Two records become one person at accounts: the surviving person has what the duplicate filed, and acts on it."""

from uuid import UUID

import pytest
from common.auth import system
from common.inbox import Fact
from orchestration.consumers import follow_merger
from tongban.accounts.v1 import account_events_pb2 as pb

from .makers import MOTHER

SURVIVOR = "00000000-0000-7000-8000-000000000299"


@pytest.fixture
def merge(desk, clock, ids):
    """Deliver the fact of accounts, twice, as the bus may."""

    async def tell(merged=MOTHER, surviving=SURVIVOR):
        fact = Fact(UUID(int=ids().int), pb.PersonsMerged(merged_id=merged, surviving_id=surviving), clock(), "", "")
        for _ in range(2):
            async with desk.app.store.begin(
                system("orchestration"), once=[fact.id], consumer="orchestration-follow_merger"
            ) as tx:
                if fact.id in tx.unit.fresh:
                    await follow_merger(desk.app, tx, fact)
        # However it comes about that it is told again, it changes nothing.
        async with desk.app.store.begin(system("orchestration")) as tx:
            await follow_merger(desk.app, tx, fact)

    return tell


async def test_the_survivor_goes_on_with_what_the_duplicate_filed(desk, merge):
    filing, cases = await desk.submitted()
    before = await desk.filing(filing)
    await merge()
    survivor = {"person": SURVIVOR}
    assert (await desk.get(f"/v1/filings/{filing}", **survivor)).json() == before
    assert (await desk.get(f"/v1/filings/{filing}")).status_code == 404
    assert [each["filing_id"] for each in (await desk.get("/v1/filings", **survivor)).json()["items"]] == [filing]
    papers = (await desk.get(f"/v1/filings/{filing}/documents", **survivor)).json()
    for paper in papers:
        assert (await desk.get(f"/v1/documents/{paper['document_id']}.pdf", **survivor)).status_code == 200
    # the departments work on as if nothing had been
    await desk.pass_(cases, "birth_certificate")
    assert (await desk.withdraw(cases["household_registration"], **survivor)).status_code == 200
    # the journal keeps who acted then, and has the merger once
    drafted = await desk.rows("select actor_id, owner_id from journal where act = 'orchestration.draft_filing'")
    assert [(each.actor_id, each.owner_id) for each in drafted] == [(MOTHER, MOTHER)]
    merged = await desk.rows("select subject_id, owner_id from journal where act = 'orchestration.follow_merger'")
    assert [(each.subject_id, each.owner_id) for each in merged] == [(MOTHER, SURVIVOR)]


async def test_others_keep_what_is_theirs(desk, merge):
    filing = await desk.draft()
    await merge("00000000-0000-7000-8000-000000000298", SURVIVOR)
    assert (await desk.filing(filing))["state"] == "draft"
    assert await desk.rows("select 1 from journal where act = 'orchestration.follow_merger'") == []
