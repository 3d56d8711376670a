"""What a chain of blocks tells of a journal that was meddled with."""

from datetime import timedelta

import chaining
import pytest

SOME = "(select id from journal order by id offset 7 limit 1)"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(chaining, "MOST", 8)


async def faults(kept):
    kept.said.clear()
    count = await chaining.verify(kept.begin, kept.said.append)
    assert count == len(kept.said) - 1
    return kept.said[:-1]


async def test_what_has_settled_is_sealed_once_and_holds(kept):
    await kept.write(timedelta(seconds=5))
    await chaining.seal(kept.begin, kept.told)
    assert [block["entries"] for block in kept.sealed] == [8, 8, 4]
    await chaining.seal(kept.begin, kept.told)
    assert len(kept.sealed) == 3
    assert await faults(kept) == []
    assert kept.sealed[-1]["digest"] in kept.said[-1]


async def test_an_entry_that_comes_late_is_sealed_later(kept):
    await chaining.seal(kept.begin, kept.told)
    late = await kept.write(timedelta(minutes=20))
    await chaining.seal(kept.begin, kept.told)
    assert (await kept.sql("select ids from journal_blocks where number = 4"))[0][0] == [late]
    assert await faults(kept) == []


@pytest.mark.parametrize(
    "meddling",
    [
        "update journal set actor_id = 'e2'",
        "update journal set act = 'tickets.Assign'",
        "update journal set at = at + interval '1 microsecond'",
        "update journal set owner_id = ''",
        """update journal set details = '{"a": [2], "b": 2}'""",
        """update journal set purpose = 'x', trace_id = trace_id || 'x'""",
    ],
)
async def test_a_flipped_byte_is_found(kept, meddling):
    await chaining.seal(kept.begin, kept.told)
    await kept.sql(f"{meddling} where id = {SOME}")
    assert await faults(kept) == ["block 1 was changed"]


async def test_an_entry_that_is_gone_is_found(kept):
    await chaining.seal(kept.begin, kept.told)
    (gone,) = await kept.sql(f"delete from journal where id = {SOME} returning id")
    assert await faults(kept) == [f"block 1: entry {gone[0]} is gone"]


async def test_an_entry_slipped_in_long_ago_is_found(kept):
    await chaining.seal(kept.begin, kept.told)
    slipped = await kept.write(timedelta(days=2))
    await chaining.seal(kept.begin, kept.told)
    assert await faults(kept) == [f"entry {slipped} stands in no block"]


async def test_a_block_that_is_gone_or_made_anew_is_found(kept):
    await chaining.seal(kept.begin, kept.told)
    await kept.sql("update journal_blocks set digest = repeat('0', 64) where number = 1")
    assert await faults(kept) == ["block 1 was changed", "block 2 was changed"]
    await kept.sql("delete from journal_blocks where number = 1")
    assert "block 1 is gone" in await faults(kept)


async def test_whoever_has_the_database_alone_cannot_make_a_block(kept):
    other = type(kept)(kept.url, type(kept.keys).from_settings({"k1": "A" * 43 + "="}, "B" * 43 + "="))
    await chaining.seal(other.begin, other.told)
    await other.engine.dispose()
    assert (await faults(kept))[0] == "block 1 was changed"


async def test_what_waits_for_the_next_round_is_told_and_by_when(kept):
    await chaining.seal(kept.begin, kept.told)
    await chaining.verify(kept.begin, kept.said.append)
    assert ", 0 entries wait; " in kept.said[-1]
    await kept.write(timedelta(seconds=30))
    await kept.write(timedelta(seconds=90))
    await chaining.verify(kept.begin, kept.said.append)
    assert "0 faults, 2 entries wait (the next block is due by 2026-11-21 12:05:30 UTC: a round every" in kept.said[-1]
    await kept.write(timedelta(minutes=30))
    await chaining.verify(kept.begin, kept.said.append)
    assert "3 entries wait (is the service up? A block is due since 2026-11-21 11:37:00 UTC" in kept.said[-1]
