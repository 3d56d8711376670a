import asyncio
import json
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest
from common import journal
from common.db import DatabaseUnavailable, TransactionContended, migrate
from common.errors import Refusal
from common.idempotency import IdempotencyKeyReused, Replayed
from common.transaction import CommitRefused, RowChanged
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tongban.accounts.v1 import account_events_pb2
from tongban.orchestration.v1 import case_events_pb2 as pb

from .shelf import ADD, MIGRATIONS, MOVE, citizen


class ThingFull(Refusal):
    """There is no room."""


async def add(store, thing, actor=None, *, fail=None):
    """Everything a use case does."""
    async with store.begin(actor or citizen()) as tx:
        tx.unit.write("add_thing", ADD, rows=1, id=thing, state="new")
        tx.unit.emit(pb.CaseReady(case_id=thing))
        tx.unit.record("shelf.add_thing", subject=("thing", thing), owner="p1", details={"how": "手工"})
        if fail:
            raise fail
        return tx.unit.answer({"thing": thing})


async def counts(store):
    return [await store.count(table) for table in ("things", "outbox", "journal", "idempotency")]


async def test_state_fact_journal_and_answer_stand_together(store):
    assert await add(store, "a", citizen("key-1")) == {"thing": "a"}
    assert await counts(store) == [1, 1, 1, 1]
    (fact,) = await store.rows("select subject, type, body, headers, published_at from outbox")
    assert fact.subject == "evt.orchestration.v1.case.ready.a"
    assert fact.type == "tongban.orchestration.v1.CaseReady"
    assert pb.CaseReady.FromString(fact.body).case_id == "a"
    assert fact.headers["ce-actor"] == "citizen:p1"
    assert fact.published_at is None


@pytest.mark.parametrize("failure", [ThingFull(), RuntimeError()])
async def test_a_rollback_leaves_nothing(store, failure):
    with pytest.raises(type(failure)):
        await add(store, "a", citizen("key-1"), fail=failure)
    assert await counts(store) == [0, 0, 0, 0]


async def test_a_broken_flush_leaves_nothing(store):
    await add(store, "a")
    with pytest.raises(asyncpg.UniqueViolationError):
        await add(store, "a")
    assert await counts(store) == [1, 1, 1, 0]


async def test_a_cancelled_block_leaves_nothing(store):
    async def hang():
        async with store.begin() as tx:
            await tx.unit.connection.execute(text("insert into things values ('a', 'new', 1)"))
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await counts(store) == [0, 0, 0, 0]


async def test_a_swallowed_database_error_is_not_taken_for_a_commit(store):
    async def swallow():
        async with store.begin() as tx:
            with suppress(DBAPIError):
                await tx.unit.connection.execute(text("select 1 / 0"))

    with pytest.raises(CommitRefused):
        await swallow()


async def test_only_own_facts_of_fitting_size_and_subject_are_emitted(store):
    for message, error in (
        (account_events_pb2.PersonRegistered(person_id="p"), ValueError),
        (pb.CaseReady(case_id="a.b"), ValueError),
        (pb.CaseReady(case_id=""), ValueError),
        (pb.CaseReady(case_id="a", item_name="x" * 600_000), ValueError),
        (pb.CaseReady.DESCRIPTOR.GetOptions(), TypeError),
    ):
        with pytest.raises(error):
            async with store.begin() as tx:
                tx.unit.emit(message)
    assert await store.count("outbox") == 0


class TestCompareAndSet:
    async def test_the_second_is_told_and_leaves_nothing(self, store):
        await add(store, "a")
        before = await counts(store)

        async def move(seen):
            async with store.begin() as tx:
                tx.unit.write("move_thing", MOVE, rows=1, id="a", state="moved", seen=seen)
                tx.unit.emit(pb.CaseReady(case_id="a"))

        done = await asyncio.gather(move(1), move(1), return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["NoneType", "RowChanged"]
        assert await counts(store) == [before[0], before[1] + 1, before[2], 0]
        assert (await store.rows("select version from things"))[0][0] == 2

    async def test_rows_of_any_number_are_let_be(self, store):
        async with store.begin() as tx:
            tx.unit.write("move_thing", MOVE, rows=None, id="nobody", state="moved", seen=1)

    async def test_an_early_flush_lets_the_next_statement_see(self, store):
        async with store.begin() as tx:
            tx.unit.write("add_thing", ADD, rows=1, id="a", state="new")
            assert tx.unit.deferred
            await tx.unit.flush()
            tx.unit.write("move_thing", MOVE, rows=1, id="a", state="moved", seen=1)
        assert (await store.rows("select state from things"))[0][0] == "moved"


class TestIdempotency:
    async def test_again_gives_the_first_answer(self, store):
        await add(store, "a", citizen("key-1"))
        with pytest.raises(Replayed) as replayed:
            await add(store, "b", citizen("key-1"))
        assert json.loads(replayed.value.answer) == {"thing": "a"}
        assert await counts(store) == [1, 1, 1, 1]

    async def test_two_at_once_have_one_effect(self, store):
        done = await asyncio.gather(
            *(add(store, f"thing-{n}", citizen("key-1")) for n in range(6)), return_exceptions=True
        )
        answers = [each for each in done if isinstance(each, dict)]
        assert len(answers) == 1
        assert [json.loads(each.answer) for each in done if isinstance(each, Replayed)] == answers * 5
        assert await counts(store) == [1, 1, 1, 1]

    async def test_a_refusal_on_the_second_run_gives_way_to_the_first_answer(self, store):
        await add(store, "a", citizen("key-1"))
        with pytest.raises(Replayed):
            await add(store, "a", citizen("key-1"), fail=ThingFull())

    async def test_a_clash_on_the_second_run_gives_way_to_the_first_answer(self, store):
        await add(store, "a", citizen("key-1"))
        with pytest.raises(Replayed):
            async with store.begin(citizen("key-1")) as tx:
                await tx.unit.connection.execute(text("insert into things values ('a', 'new', 1)"))

    async def test_another_body_under_the_same_key_is_refused(self, store):
        await add(store, "a", citizen("key-1"))
        with pytest.raises(IdempotencyKeyReused):
            await add(store, "b", citizen("key-1", body=b"other"))

    async def test_keys_of_others_and_of_other_routes_are_other_keys(self, store):
        await add(store, "a", citizen("key-1"))
        await add(store, "b", citizen("key-1", person="p2"))
        await add(store, "c", citizen("key-1", route="other"))
        assert await store.count("things") == 3

    async def test_a_refused_first_run_may_be_tried_again(self, store):
        with pytest.raises(ThingFull):
            await add(store, "a", citizen("key-1"), fail=ThingFull())
        await add(store, "a", citizen("key-1"))

    async def test_the_answer_is_not_readable_in_the_table(self, store):
        await add(store, "secret-name", citizen("key-1"))
        ((answer,),) = await store.rows("select answer from idempotency")
        assert b"secret-name" not in answer


class TestLostLine:
    @pytest.mark.parametrize("deliver", [True, False], ids=["committed", "not committed"])
    async def test_a_commit_of_unknown_outcome_is_tried_again(self, fragile, store, line, deliver):
        line.cut_at(b"commit", deliver=deliver)
        # Either the line is still away for the question what happened, or the first answer comes at once.
        with pytest.raises((DatabaseUnavailable, Replayed)):
            await add(fragile, "a", citizen("key-1"))
        assert line.cuts == 1
        assert await store.count("things") == int(deliver)
        if deliver:
            with pytest.raises(Replayed):
                await add(fragile, "a", citizen("key-1"))
        else:
            await add(fragile, "a", citizen("key-1"))
        assert await counts(store) == [1, 1, 1, 1]

    @pytest.mark.parametrize("fail", [None, ThingFull()], ids=["a clash", "a refusal"])
    async def test_a_repetition_that_cannot_be_looked_up_is_not_answered_otherwise(self, fragile, store, line, fail):
        await add(store, "a", citizen("key-1"))
        line.cut_at(b"select request_hash", deliver=False)
        with pytest.raises(DatabaseUnavailable):
            await add(fragile, "a", citizen("key-1"), fail=fail)
        with pytest.raises(Replayed):
            await add(fragile, "a", citizen("key-1"), fail=fail)

    async def test_a_server_that_dies_within_a_transaction_is_unavailable(self, fragile, store, line):
        async def work():
            async with fragile.begin() as tx:
                await tx.unit.connection.execute(text("select 1"))
                # a killed postmaster's child says so, unasked, a moment before its connection ends
                line.say(b"E\x00\x00\x00\x24SFATAL\x00C57P02\x00Mpostmaster exit\x00\x00")
                await asyncio.sleep(0.05)

        with pytest.raises(DatabaseUnavailable):
            await work()
        await add(fragile, "a")
        assert await store.count("things") == 1

    async def test_killed_connections_cost_no_request_that_comes_later(self, store):
        await asyncio.gather(*(add(store, f"thing-{n}") for n in range(5)))
        await store.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0.1)
        await asyncio.gather(*(add(store, f"later-{n}") for n in range(5)))

    async def test_a_server_without_room_is_unavailable(self, store):
        async def work():
            async with store.begin() as tx:
                full = "do $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$"
                await tx.unit.connection.execute(text(full))

        with pytest.raises(DatabaseUnavailable):
            await work()
        await add(store, "a")

    async def test_a_database_that_is_away_is_unavailable(self, fragile, line):
        line._server.close()
        with pytest.raises(DatabaseUnavailable):
            await add(fragile, "a")

    async def test_a_deadlock_asks_for_another_try(self, store):
        await add(store, "a")
        await add(store, "b")
        lock = text("select 1 from things where id = :id for update")
        met = asyncio.Barrier(2)

        async def take(first, second):
            async with store.begin() as tx:
                await tx.unit.connection.execute(lock, {"id": first})
                await met.wait()
                await tx.unit.connection.execute(lock, {"id": second})

        done = await asyncio.gather(take("a", "b"), take("b", "a"), return_exceptions=True)
        assert [type(each) for each in done if each] == [TransactionContended]


class TestInbox:
    async def test_an_id_is_fresh_once_for_each_consumer(self, store, ids):
        one, two = ids(), ids()
        async with store.begin(once=[one, one], consumer="c") as tx:
            assert tx.unit.fresh == {one}
        async with store.begin(once=[one, two], consumer="c") as tx:
            assert tx.unit.fresh == {two}
        async with store.begin(once=[one], consumer="other") as tx:
            assert tx.unit.fresh == {one}

    async def test_a_rolled_back_id_is_fresh_again(self, store, ids):
        one = ids()
        with pytest.raises(RuntimeError):
            async with store.begin(once=[one], consumer="c"):
                raise RuntimeError
        async with store.begin(once=[one], consumer="c") as tx:
            assert tx.unit.fresh == {one}


class TestKick:
    async def test_a_commit_with_facts_kicks_and_a_failing_kick_hurts_nobody(self, store):
        kicks = []

        async def kick():
            kicks.append(1)
            raise ConnectionError

        store.database.kick = kick
        await add(store, "a")
        async with store.begin():
            pass

        async def lose():
            async with store.begin() as tx:
                tx.unit.write("move_thing", MOVE, rows=1, id="a", state="x", seen=7)
                tx.unit.emit(pb.CaseReady(case_id="a"))

        with pytest.raises(RowChanged):
            await lose()
        assert kicks == [1]


class TestJournal:
    async def test_the_owner_reads_page_by_page(self, store, clock):
        for n in range(5):
            clock.advance(timedelta(minutes=n % 2))
            await add(store, f"thing-{n}")
        seen, cursor = [], None
        async with store.begin() as tx:
            while True:
                page = await journal.read(tx.unit.connection, owner="p1", cursor=cursor, size=2)
                seen += page.items
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert [entry.subject_id for entry in seen] == [f"thing-{n}" for n in (4, 3, 2, 1, 0)]
            one = seen[0]
            assert (one.act, one.actor_kind, one.actor_id, one.purpose) == ("shelf.add_thing", "citizen", "p1", "看病")
            assert one.details == {"how": "手工"}
            assert one.trace_id == "t" * 32
            assert not (await journal.read(tx.unit.connection, owner="p2")).items
            assert len((await journal.read(tx.unit.connection, subject=("thing", "thing-1"))).items) == 1
            assert not (await journal.read(tx.unit.connection, owner="p1", acts=("other",))).items


class TestMigrate:
    async def test_many_at_once_migrate_once(self, databases, ids):
        name = f"empty_{ids().hex}"
        await databases._execute(f"create database {name}")
        try:
            await asyncio.gather(*(migrate(databases._url(name), MIGRATIONS, "shelf") for _ in range(4)))
        finally:
            await databases._execute(f"drop database {name} with (force)")

    async def test_a_folder_without_migrations_is_refused(self, url, tmp_path):
        with pytest.raises(ValueError, match="no migrations"):
            await migrate(url, tmp_path, "shelf")
