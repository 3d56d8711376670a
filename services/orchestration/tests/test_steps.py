"""The hot step costs two statements, and concurrency has a budget."""

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement


@pytest.fixture
def sent(monkeypatch):
    """Everything that goes to PostgreSQL, whoever sends it."""
    seen = []

    def watch(kind, name):
        send = getattr(kind, name)

        async def watched(self, *args, **more):
            seen.append(self.get_query() if kind is PreparedStatement else args[0])
            return await send(self, *args, **more)

        monkeypatch.setattr(kind, name, watched)

    for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
        watch(asyncpg.Connection, name)
    for name in ("fetch", "fetchrow", "fetchval", "executemany"):
        watch(PreparedStatement, name)
    return seen


async def test_accepting_and_deciding_cost_two_statements_each(desk, sent):
    _, first = await desk.submitted()
    await desk.pass_(first, "birth_certificate")
    _, cases = await desk.submitted()
    sent.clear()
    await desk.accept(cases["birth_certificate"], "birth_certificate")
    accept, sent[:] = list(sent), []
    assert (await desk.approve(cases["birth_certificate"], "birth_certificate")).status_code == 200
    for statements in (accept, list(sent)):
        begin, lock, flush, commit = statements
        assert (begin, commit) == ("begin", "commit")
        assert "FOR UPDATE" in lock
        assert flush.startswith("with w0")
