"""The data key is changed while people go on working: everything is sealed anew and nothing is lost."""

import asyncio
import base64
from dataclasses import replace
from functools import partial

import pytest
from common.auth import system
from common.testing import sealed_columns
from pydantic import SecretStr
from sealing import key_id, reseal
from workbench import main
from workbench.store.sealing import SEALED

from .apps import an_app
from .office import Office, claim

KEYS = {f"k{number}": base64.b64encode(str(number).encode() * 32).decode() for number in (1, 2)}
QUESTION, ANSWER = "父母的婚姻登记是否有效？", "登记有效，无异议。"


@pytest.fixture
def served_with(office, settings, open_house):
    """The same desks behind another process."""

    async def opens(**keys):
        changed = settings.model_copy(update={"data_keys": {name: SecretStr(key) for name, key in keys.items()}})
        return replace(office, living=await open_house(main.opened, main.house, changed, parts=("doors",)))

    return opens


async def keys_of(rows):
    found = {}
    for sealed in SEALED:
        values = await rows(f"SELECT {sealed.column} FROM {sealed.table.name} WHERE {sealed.column} IS NOT NULL")
        found[sealed.name] = {key_id(value[0]) for value in values}
    return found


async def consulted(office: Office):
    """Have something sealed in every column; give the todo that was asked about."""
    given_back = await office.open_one()
    await office.ask("POST", claim(given_back))
    await office.ask("POST", f"/v1/todos/{given_back['todo_id']}:return", body={"reason": "应由出生证窗口先办"})
    todo = await office.open_one()
    await office.ask("POST", claim(todo))
    asking = {"department": "civil_affairs", "question": QUESTION, "due_on": "2026-11-26"}
    await office.ask("POST", f"/v1/todos/{todo['todo_id']}:consult", body=asking)
    (theirs,) = await office.todos("?kind=consult", "civil")
    await office.ask("POST", claim(theirs), "civil")
    await office.ask("POST", f"/v1/todos/{theirs['todo_id']}:answer", "civil", {"answer": ANSWER})
    await office.ask("POST", "/v1/apps", "cdc", an_app(), **{"Idempotency-Key": "a-key-of-the-app"})
    return todo


@pytest.mark.usefixtures("office")
async def test_every_sealed_column_is_known(rows):
    assert await sealed_columns(rows) == {each.name for each in SEALED}


async def test_everything_is_sealed_anew_while_people_go_on(office, served_with, rows, capsys):
    todo = await consulted(office)
    assert set(map(frozenset, (await keys_of(rows)).values())) == {frozenset({"k1"})}
    rotated = await served_with(**KEYS)
    consults = f"/v1/todos/{todo['todo_id']}/consults"
    done, seen = asyncio.Event(), []

    async def work():
        while not done.is_set():
            (consult,) = (await rotated.ask("GET", consults)).json()["items"]
            seen.append((consult["question"], consult["answer"]))

    working = asyncio.create_task(work())
    try:
        begin = partial(rotated.living.app.store.begin, system(main.NAME, route="reseal"))
        assert await reseal(begin, SEALED, [].append, batch=1) == 0
    finally:
        done.set()
        await working
    assert set(seen) == {(QUESTION, ANSWER)}
    await main.reseal_all(rotated.living.app)
    said = capsys.readouterr().out
    assert "consults.question: 0 sealed anew, 0 left" in said
    assert QUESTION not in said
    assert set(map(frozenset, (await keys_of(rows)).values())) == {frozenset({"k2"})}
    alone = await served_with(k2=KEYS["k2"])
    (consult,) = (await alone.ask("GET", consults)).json()["items"]
    assert (consult["question"], consult["answer"]) == (QUESTION, ANSWER)
    app = await alone.ask("GET", "/v1/apps/vaccination", "cdc")
    assert app.json()["contact"] == an_app()["contact"]
