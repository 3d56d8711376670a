"""Whoever is suspended is refused although the token still lives: at once when the fact comes, else within 30 s."""

from uuid import UUID

import pytest
from common.auth import system
from common.inbox import Fact
from orchestration.consumers import drop_closed, drop_suspended
from tongban.accounts.v1 import account_events_pb2 as pb

from .makers import MOTHER


@pytest.mark.parametrize(("kind", "handle"), [(pb.AccountSuspended, drop_suspended), (pb.AccountClosed, drop_closed)])
async def test_a_living_token_of_a_suspended_citizen_is_refused(*, desk, others, clock, ids, kind, handle):
    filing = await desk.draft()
    others.departments.suspended.add(MOTHER)
    # remembered for half a minute, unless somebody tells
    assert (await desk.get(f"/v1/filings/{filing}")).status_code == 200
    fact = Fact(UUID(int=ids().int), kind(account_id=MOTHER, kind="person"), clock(), "service:accounts", "")
    for _ in range(2):
        async with desk.app.store.begin(system("orchestration"), once=[fact.id], consumer="orchestration-drop") as tx:
            await handle(desk.app, tx, fact)
    for door in (f"/v1/filings/{filing}", "/v1/filings"):
        answer = await desk.get(door)
        assert (answer.status_code, answer.json()["reason"]) == (403, "ACCOUNT_SUSPENDED")
    # a refusal is not remembered
    others.departments.suspended.clear()
    assert (await desk.get(f"/v1/filings/{filing}")).status_code == 200


async def test_while_accounts_is_away_the_token_counts(desk, others):
    others.departments.away = True
    assert (await desk.get("/v1/filings")).status_code == 200
