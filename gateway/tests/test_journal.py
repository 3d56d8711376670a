"""What happens at the front door is journaled once, whatever is away and whoever is killed."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from common import journal
from common.errors import Invalid
from demo.browser import Browser
from gateway.domain import FACES
from gateway.journal import LOST, NOTES
from gateway.sessions import Session
from pydantic import SecretStr

from .surroundings import World, around, person, until

CITIZEN = FACES["citizen"]
AWAY = SecretStr("postgresql+asyncpg://nobody:nothing@127.0.0.1:9/nothing")
FROM = "192.0.2.7"

type Opens = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
async def opens(world: World) -> Opens:
    """Opens gateways that share a part of Redis with nobody else."""
    redis_url = SecretStr(world.settings.redis_url.get_secret_value().removesuffix("/0") + "/6")
    return lambda **changes: around(http_port=0, redis_url=redis_url, **changes)


@pytest.fixture
async def session(world: World, inside: Browser) -> Session:
    """A log-in of somebody whom no other test knows."""
    known = await world.app.sessions.read(CITIZEN, inside.cookies.get("__Host-citizen"))
    return replace(known, person_id=str(uuid4()), sid=str(uuid4()), sub=str(uuid4()))


async def journaled(world: World, **asked: Any) -> list[journal.Entry]:
    async with world.app.journal._database.engine.connect() as connection:
        return (await journal.read(connection, size=100, **asked)).items


async def notes(world: World) -> int:
    return await world.app.sessions._redis.xlen(NOTES)


async def written(world: World) -> None:
    async def so() -> bool:
        return await notes(world) == 0

    await until(so)


async def test_log_ins_log_outs_and_refusals_are_journaled(world: World):
    async with world.browser() as browser:
        await browser.log_in(person("wangfang"))
        sid = (await world.app.sessions.read(CITIZEN, browser.cookies.get("__Host-citizen"))).sid
        await browser.http.post(f"{world.url}/citizen/auth/logout")
        await browser.log_out()
    await written(world)
    entries = await journaled(world, owner="00000000-0000-7000-8000-000000000203")
    mine = [entry for entry in entries if entry.subject_id == sid]
    assert [(entry.act, entry.details["face"]) for entry in mine] == [
        ("gateway.log_out", "citizen"),
        ("gateway.log_in", "citizen"),
    ]
    refusals = await journaled(world, subject=("address", "127.0.0.1"), acts=("gateway.refuse",))
    assert "CSRF_HEADER_MISSING" in {entry.details["reason"] for entry in refusals}


async def test_what_a_gateway_could_not_write_the_next_one_writes(opens: Opens, session: Session):
    async with opens(database_url=AWAY) as cut_off:
        app = cut_off.app
        opened = await app.sessions.begin(session, app.journal.log_in(FROM))
        await app.sessions.end(opened, app.journal.log_out("own"))
        assert await notes(cut_off) == 2
        # what lies in Redis tells of nobody
        lying = str(await app.sessions._redis.xrange(NOTES))
        assert session.person_id not in lying
        assert FROM not in lying
    async with opens() as after:
        await written(after)
        entries = await journaled(after, owner=session.person_id)
    assert [(entry.act, entry.actor_kind, entry.subject_id) for entry in entries] == [
        ("gateway.log_out", "citizen", session.sid),
        ("gateway.log_in", "citizen", session.sid),
    ]
    assert entries[1].details == {"face": "citizen", "acr": str(session.acr), "address": FROM}


async def test_a_note_that_a_killed_writer_left_behind_is_written_once(opens: Opens, session: Session):
    async with opens(database_url=AWAY) as cut_off:
        await cut_off.app.sessions.begin(session, cut_off.app.journal.log_in(FROM))
        redis = cut_off.app.sessions._redis
        ((_, note),) = await redis.xrange(NOTES)
        await redis.xadd(NOTES, note)
    async with opens() as after:
        await written(after)
        # struck out and, after that, delivered once more
        await after.app.sessions._redis.xadd(NOTES, note)
        await written(after)
        assert len(await journaled(after, owner=session.person_id)) == 1


async def test_several_gateways_write_each_note_once(opens: Opens, session: Session):
    async with opens(database_url=AWAY) as cut_off:
        for place in range(60):
            each = replace(session, sid=f"{session.sid}-{place}")
            await cut_off.app.sessions.begin(each, cut_off.app.journal.log_in(FROM))
    async with opens() as one, opens():
        await written(one)
        told = [entry.subject_id for entry in await journaled(one, owner=session.person_id)]
    assert sorted(told) == sorted({f"{session.sid}-{place}" for place in range(60)})


async def test_a_note_that_nobody_can_read_holds_up_no_other(opens: Opens, session: Session):
    lost = LOST._value.get()
    async with opens() as after:
        await after.app.sessions._redis.xadd(NOTES, {"act": b"nonsense"})
        await after.app.sessions.begin(session, after.app.journal.log_in(FROM))
        await written(after)
        assert len(await journaled(after, owner=session.person_id)) == 1
    assert LOST._value.get() == lost + 1


async def test_refusals_without_end_fill_no_memory(opens: Opens, session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.journal.REFUSALS_LIMIT", 3)
    lost = LOST._value.get()
    async with opens(database_url=AWAY) as cut_off:
        for _ in range(5):
            await cut_off.app.journal.refuse(Invalid(), "citizen.log_in", FROM)
        assert (await notes(cut_off), LOST._value.get()) == (3, lost + 2)
        # who was let in is noted all the same
        await cut_off.app.sessions.begin(session, cut_off.app.journal.log_in(FROM))
        assert await notes(cut_off) == 4
        await cut_off.app.sessions._redis.flushdb()
