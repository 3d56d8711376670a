"""Every service's data key is changed while people file and officers read, with a crash in the middle of it."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from attack.rotation import Keys, Rotation, Traffic, lying_under, until
from attack.scan import Needles, everywhere
from attack.settings import SERVICES
from demo.people import Sessions
from demo.settings import Settings as DemoSettings

from attack import traces
from demo import newborn
from tools.runner.control import Control

PURPOSE = newborn.PURPOSE
SEALING = SERVICES


@pytest.fixture(scope="module")
async def people(everybody):
    assert everybody, "the city is loaded"
    async with Sessions(DemoSettings()) as opened:
        yield {name: await opened.of(name) for name in ("lijing", "zhoulan", "wangfang", "health", "admin")}


@asynccontextmanager
async def working(people, traffic):
    """People file, and look at what is theirs, until the block ends; gives the filings that were taken."""
    done, filed = asyncio.Event(), {}

    async def call(person, method, path, body=None, **more):
        restarting = traffic.restarting
        answer = await people[person].call(method, path, body, **more)
        traffic.told(answer, began_while_restarting=restarting)
        if answer.status_code == 429:
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        return answer

    async def file():
        serial = int(time.time()) % 10_000_000
        while not done.is_set():
            serial += 1
            content = newborn.form(serial, "lijing", None)
            begun = {"matter_code": newborn.MATTER, "region_code": newborn.REGION, "form": content}
            begun |= {"determinants": {"mother_insured": "insured"}}
            answer = await call("lijing", "POST", "orchestration/v1/filings", begun)
            if not answer.is_success:
                await asyncio.sleep(0.2)
                continue
            filing = answer.json()["filing_id"]
            plan = await call("lijing", "GET", f"orchestration/v1/filings/{filing}/plan")
            if plan.is_success:
                digest = {"plan_digest": plan.json()["plan_digest"]}
                if (await call("lijing", "POST", f"orchestration/v1/filings/{filing}:submit", digest)).is_success:
                    filed[filing] = content
            await asyncio.sleep(0.3)

    async def look():
        while not done.is_set():
            await call("wangfang", "GET", "verification/v1/me/licences")
            await call("health", "GET", "workbench/v1/todos")
            person = f"accounts/v1/persons/{people['lijing_id']}"
            await call("admin", "GET", person, purpose=PURPOSE)
            await asyncio.sleep(0.3)

    workers = [asyncio.create_task(file()), asyncio.create_task(look())]
    try:
        yield filed
    finally:
        done.set()
        await asyncio.gather(*workers)


async def more(filed):
    """Wait until two filings more are taken."""
    taken = len(filed)

    async def are_taken():
        return len(filed) >= taken + 2

    await until(are_taken, within=60)


@pytest.mark.timeout(600)
async def test_the_keys_are_changed_under_traffic_and_nothing_is_lost(people, settings, public_url):
    people = people | {"lijing_id": newborn.city.citizen("lijing")["person_id"]}
    traffic = Traffic()
    rotation = Rotation(settings, Control.from_environment(), traffic)
    first = Keys.given()
    both = first.with_new("k2")
    async with traces.opened(settings, SERVICES) as databases, working(people, traffic) as filed:
        await more(filed)
        before = {name: await lying_under(databases[name]) for name in SEALING}
        assert all(set(each) == {"k1"} for each in before.values()), before
        traffic.restarting = True
        async with rotation.taken_over(both, back="k1"):
            await rotation.serve(both, "k2")
            for name in SEALING:
                async with traces.opened(settings, (name,)) as held:
                    left = await rotation.crash(name, both, "k2", held[name])
                    assert left > 0, f"{name} was not in the middle"
            codes = {name: await rotation.reseal(name, both, "k2") for name in SEALING}
            assert codes == dict.fromkeys(SEALING, 0)
            assert [set(await lying_under(databases[name])) for name in SEALING] == [{"k2"}] * len(SEALING)
            # the old key is dropped: whatever were still under it could not be read any more
            await rotation.serve(both.without("k1"), "k2")
            await more(filed)
            for filing, content in list(filed.items()):
                assert (await newborn.filing(people["lijing"], filing))["form"] == content
            assert await everywhere(settings, public_url, Needles({})) == [], "nothing was ever in the clear"
        # the runner's own key was named again, and everything lies under it
        assert [set(await lying_under(databases[name])) for name in SEALING] == [{"k1"}] * len(SEALING)
    assert traffic.broken == []
    assert traffic.statuses[200] > 50, traffic.statuses
