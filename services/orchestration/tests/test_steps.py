"""The hot step costs two statements, and concurrency has a budget."""

from sqlalchemy import event


async def test_accepting_and_deciding_cost_two_statements_each(desk, monkeypatch):
    _, first = await desk.submitted()
    await desk.pass_(first, "birth_certificate")
    _, cases = await desk.submitted()
    seen = []
    engine = desk.app.store.database.engine.sync_engine

    def before(_connection, _cursor, statement, *_more):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", before)
    import asyncpg  # noqa: PLC0415

    fetchrow = asyncpg.Connection.fetchrow

    async def counted(self, query, *args, **more):
        seen.append(query)
        return await fetchrow(self, query, *args, **more)

    monkeypatch.setattr(asyncpg.Connection, "fetchrow", counted)
    try:
        await desk.accept(cases["birth_certificate"], "birth_certificate")
        accept, seen[:] = list(seen), []
        assert (await desk.approve(cases["birth_certificate"], "birth_certificate")).status_code == 200
        approve = list(seen)
    finally:
        event.remove(engine, "before_cursor_execute", before)
    for statements in (accept, approve):
        assert len(statements) == 2, statements
        assert "FOR UPDATE" in statements[0]
        assert statements[1].startswith("with w0")
