"""A gateway behind an edge: it believes the edge, and nobody who stands before it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from common import journal

from .surroundings import World, around, until


@pytest.fixture
async def behind() -> AsyncIterator[World]:
    async with around(http_port=0, trusted_hops=1) as made:
        yield made


async def test_a_caller_is_known_by_the_address_that_the_edge_saw(behind: World):
    seen, claimed = f"2001:db8::{uuid4().hex[:4]}", "192.0.2.7"

    async def journaled(address: str) -> list[journal.Entry]:
        async with behind.app.journal._database.engine.connect() as connection:
            return (await journal.read(connection, subject=("address", address))).items

    before = len(await journaled(claimed))
    async with behind.http(**{"X-Forwarded-For": f"{claimed}, {seen}"}) as asked:
        assert (await asked.get("/citizen/auth/callback?state=nothing&code=nothing")).status_code >= 400

    async def told() -> bool:
        return len(await journaled(seen)) == 1

    await until(told)
    assert len(await journaled(claimed)) == before


async def test_readiness_and_metrics_are_not_told_to_the_world(behind: World):
    async with behind.http() as asked:
        for path in ("/readyz", "/metrics"):
            assert (await asked.get(path)).status_code == 200
            through = await asked.get(path, headers={"X-Forwarded-For": "192.0.2.7"})
            assert (through.status_code, through.json()["reason"]) == (404, "NO_SUCH_PATH")
