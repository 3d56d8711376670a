"""The data key is changed while people go on working: everything is sealed anew and nothing is lost."""

import asyncio
from base64 import b64encode
from functools import partial

import pytest
from common.auth import system
from common.testing import sealed_columns
from orchestration import main
from orchestration.store.sealing import SEALED
from pydantic import SecretStr
from sealing import key_id, reseal

from .department import APP, Department
from .desk import Desk
from .makers import newborn_by_app

SECOND = b64encode(b"2" * 32).decode()
DIGESTS = {"attachments.digest", "callbacks.digest"}


@pytest.fixture
def served_with(open_house, settings, who):
    """The same desks behind another process."""

    async def opens(**keys):
        changed = settings.model_copy(update={"data_keys": {name: SecretStr(key) for name, key in keys.items()}})
        return Desk(await open_house(main.opened, main.house, changed, parts=("doors",)), who)

    return opens


async def keys_of(desk):
    found = {}
    for sealed in SEALED:
        query = f"SELECT {sealed.column} FROM {sealed.table.name} WHERE {sealed.column} IS NOT NULL"
        found[sealed.name] = {key_id(value) for (value,) in await desk.rows(query)}
    return found


async def test_every_sealed_column_is_known(desk):
    assert await sealed_columns(desk.rows, digests=DIGESTS) == {each.name for each in SEALED}


async def test_everything_is_sealed_anew_while_people_go_on(desk, served_with, settings, capsys):
    filing, cases = await desk.submitted()
    await desk.pass_(cases, "birth_certificate")
    item = next(name for name, status in (await desk.statuses(filing)).items() if status == "ready")
    await desk.accept(cases[item], item)
    assert (await desk.refuse(cases[item], item)).status_code == 200
    drafts = [await desk.draft() for _ in range(4)]
    before = await keys_of(desk)
    assert before["filings.content"] == before["cases.result"] == before["idempotency.answer"] == {"k1"}
    first = settings.data_keys["k1"].get_secret_value()
    plans = {draft: (await desk.plan(draft))["plan_digest"] for draft in drafts}
    async with await served_with(k1=first, k2=SECOND) as rotated:
        done = asyncio.Event()
        seen = []

        async def work():
            while not done.is_set():
                seen.append((await rotated.filing(filing))["filing_id"])
                seen.append(await rotated.draft())

        working = asyncio.create_task(work())
        try:
            begin = partial(rotated.app.store.begin, system(main.NAME, route="reseal"))
            assert await reseal(begin, SEALED, [].append, batch=2) == 0
        finally:
            done.set()
            await working
        assert filing in seen
        await main.reseal_all(rotated.app)
        assert "everything lies under the current key" in capsys.readouterr().out
        assert set().union(*(await keys_of(rotated)).values()) == {"k2"}
    async with await served_with(k2=SECOND) as alone:
        for draft, digest in plans.items():
            assert (await alone.plan(draft))["plan_digest"] == digest
        assert (await alone.submit(drafts[0])).status_code == 200


async def test_calls_that_carry_nothing_keep_no_key_alive(desk, served_with, settings, clock, others):
    """A case that is given to a department's system is read anew for each call: its row seals nothing."""
    async with Department(clock, []).serve() as serving:
        others.registry.apps[APP] = serving.registered()
        await desk.publish(newborn_by_app(vaccination_certificate=APP))
        await desk.submitted()
    assert await desk.rows("select 1 from calls where kind = 'app_case' and payload = ''")
    first = settings.data_keys["k1"].get_secret_value()
    async with await served_with(k1=first, k2=SECOND) as rotated:
        begin = partial(rotated.app.store.begin, system(main.NAME, route="reseal"))
        assert await reseal(begin, SEALED, [].append) == 0
