"""Departments' own systems that are slow, refuse for a moment, fail again and again pack, or were away for long."""

import asyncio
import gzip
import time
from datetime import timedelta

from aiohttp import web
from common.auth import system
from orchestration import usecases
from orchestration.clients import departments
from orchestration.domain.app_call import Reply
from orchestration.domain.registered import RegisteredApp
from purgatory import AsyncCircuitBreakerFactory

from .department import APP, CLIENT, Department
from .makers import newborn_by_app
from .test_app_calls import ITEM, calls, department, given, run

__all__ = ["department", "given"]


async def test_one_slow_department_delays_no_other(desk, department, others, clock):
    await desk.publish(newborn_by_app(**{ITEM: APP}, parenting_guidance="guidance"))
    department.behave = lambda *_: asyncio.sleep(30)
    async with Department(clock, department.callers).serve() as quick:
        others.registry.apps["guidance"] = quick.registered(
            "guidance", org_path="zibo.zhangdian.health", items=["parenting_guidance"], client_id="department-health"
        )
        for _ in range(6):
            await desk.submitted()
        began = time.monotonic()
        while len(quick.effects) < 6:
            await usecases.run_app_calls(desk.app, system("orchestration"), desk.app.bulkheads)
            await asyncio.sleep(0.02)
            assert time.monotonic() - began < 4
        assert len(department.heard) <= 4
    await desk.app.bulkheads.close()


async def test_an_answer_that_drips_is_not_waited_for(desk, department, given, monkeypatch):
    """Each byte comes soon enough, and the last one never: the call as a whole has an end."""
    monkeypatch.setattr(departments, "_WITHIN", 0.6)

    async def drip(*_):
        async def drops():
            for _ in range(100):
                yield b" "
                await asyncio.sleep(0.1)

        return web.Response(status=202, body=drops())

    _, case = given
    department.behave = drip
    began = time.monotonic()
    await run(desk)
    assert time.monotonic() - began < 3
    assert (await calls(desk))[0][0:2] == ("pending", "ask")
    assert case


async def test_a_packed_answer_is_not_unpacked(desk, department, given):
    """A few kilobytes could become gigabytes; whoever is asked for plain text answers in plain text."""
    told = gzip.compress(b'{"state": "taken"}')
    department.behave = lambda *_: asyncio.sleep(
        0, web.Response(status=202, body=told, headers={"Content-Encoding": "gzip"})
    )
    _, case = given
    await run(desk)
    assert (await calls(desk))[0][0::4] == ("pending", "APP_ANSWER_UNREADABLE")
    assert case


async def test_an_app_that_does_not_believe_us_now_is_asked_again(desk, department, given, clock):
    """Its clock is off, or it has not fetched our new key yet."""
    _, case = given
    department.behave = lambda *_: asyncio.sleep(0, web.Response(status=401))
    await run(desk)
    assert (await calls(desk))[0][0::4] == ("pending", "APP_ANSWERED_401")
    department.behave = None
    clock.advance(timedelta(seconds=2))
    await run(desk)
    assert department.effects == [case]
    assert (await calls(desk))[0][:3] == ("pending", "await", 0)


async def test_an_app_that_was_away_for_a_day_is_not_run_over_when_it_is_back(desk, department, clock):
    """Everything that waited is due at once; the app is given four at a time, and each once."""
    await desk.publish(newborn_by_app(**{ITEM: APP}))
    # the breaker alone goes by the real clock
    desk.app.outside.departments._breakers = AsyncCircuitBreakerFactory(default_threshold=5, default_ttl=0.05)
    department.behave = lambda *_: asyncio.sleep(0, web.Response(status=503))
    waiting = {(await desk.submitted())[1][ITEM] for _ in range(12)}
    for _ in range(5):
        await run(desk)
        clock.advance(timedelta(minutes=1))
    clock.advance(timedelta(days=1))
    at_once = most = 0

    async def slowly(*_):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1

    department.behave = slowly
    for _ in range(40):
        await run(desk)
        clock.advance(timedelta(seconds=20))
        if set(department.effects) == waiting:
            break
    assert sorted(department.effects) == sorted(waiting)
    assert most <= 4


async def test_an_app_that_keeps_failing_is_left_alone_for_a_while(desk, department):
    department.behave = lambda *_: asyncio.sleep(0, web.Response(status=500))
    registered = RegisteredApp(APP, "zibo", department.url, CLIENT, frozenset(), (), is_approved=True)
    replies = [
        (await desk.app.outside.departments.give(registered, {"case_id": str(each), "attempt": 1})).reply
        for each in range(8)
    ]
    assert Reply.RESTING in replies
    assert replies[0] is Reply.UNSURE
    assert len(department.heard) < len(replies)
