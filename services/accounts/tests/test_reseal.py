"""The data key is changed while people go on working: everything is sealed anew, nothing is lost, nobody waits."""

import asyncio
import base64
from dataclasses import replace
from functools import partial

import pytest
from accounts import main
from accounts.store.sealing import SEALED
from common.auth import system
from common.testing import sealed_columns
from sealing import key_id, reseal
from stdnum.cn import ric

from .city import CHILD, FATHER, PERSON, PURPOSE, City, _id
from .conftest import KEYS

BOTH = {**KEYS, "k2": base64.b64encode(b"2" * 32).decode()}
BLIND_INDEXES = {"persons.id_number_index", "persons.phone_index"}


def neighbour(number):
    digits = f"3703031900{number // 100 % 12 + 1:02d}{number % 28 + 1:02d}{number:03d}"
    return {
        "person_id": _id(10_000 + number),
        "name": "邻居",
        "id_number": digits + ric.calc_check_digit(f"{digits}0"),
        "phone": f"198{number:08d}",
    }


@pytest.fixture
def served_with(city, settings, open_house):
    """The same city behind another process."""

    async def opens(**changed):
        living = await open_house(main.opened, main.house, settings(**changed), parts=("doors",))
        return replace(city, living=living)

    return opens


@pytest.fixture
async def rotated(city, served_with):
    """The same city, served by a process that seals under the new key and still opens what the old one sealed."""
    for number in range(12):
        await city.tell("persons", neighbour(number))
    await city.register()
    await city.tell("persons", FATHER)
    return await served_with(data_keys=BOTH)


def anew(of: City, say=[].append, **how):
    """Seal everything anew by that process."""
    return reseal(partial(of.living.app.store.begin, system("accounts", route="reseal")), SEALED, say, **how)


async def keys_of(rows):
    """The ids of the keys that each sealed column lies under."""
    found = {}
    for sealed in SEALED:
        values = await rows(f"SELECT {sealed.column} FROM {sealed.table.name} WHERE {sealed.column} IS NOT NULL")
        found[sealed.name] = {key_id(value[0]) for value in values}
    return found


@pytest.mark.usefixtures("city")
async def test_every_sealed_column_is_known(rows):
    assert await sealed_columns(rows, digests=BLIND_INDEXES) == {each.name for each in SEALED}


async def test_everything_is_sealed_anew_while_people_go_on(rotated, rows, served_with, capsys):
    """Processes with the new key and such that do not use it yet are at work at once."""
    old = await served_with(data_keys=BOTH, data_key="k1")
    before = await keys_of(rows)
    assert before["persons.name"] == before["employees.name"] == before["idempotency.answer"] == {"k1"}
    done = asyncio.Event()
    statuses = []

    async def work(of: City, first):
        number = first
        while not done.is_set():
            statuses.append((await of.read(by="revealer", purpose=PURPOSE)).json()["name"])
            statuses.append((await of.ask("POST", "/v1/persons", of.service(), neighbour(number))).status_code)
            number += 1

    workers = [asyncio.create_task(work(rotated, 100)), asyncio.create_task(work(old, 500))]
    lines = []
    try:
        await anew(rotated, lines.append, batch=3)
    finally:
        done.set()
        await asyncio.gather(*workers)
    assert set(statuses) == {200, PERSON["name"]}
    assert any(line.startswith("persons.name: ") and "sealed anew" in line for line in lines)
    # what the waiting process has sealed meanwhile; once it is told of the new key, one run more finds the rest
    await main.reseal_all(rotated.living.app)
    assert "everything lies under the current key" in capsys.readouterr().out
    assert set().union(*(await keys_of(rows)).values()) == {"k2"}
    without = await served_with(data_keys={"k2": BOTH["k2"]})
    read = await without.read(by="revealer", purpose=PURPOSE)
    assert {name: read.json()[name] for name in ("name", "id_number", "phone")} == {
        name: PERSON[name] for name in ("name", "id_number", "phone")
    }
    assert (await without.register())["person_id"] == PERSON["person_id"]


async def test_a_second_run_finds_nothing_to_do(rotated, rows):
    assert await anew(rotated) == 0
    before = await rows("SELECT person_id, name, id_number, phone, version FROM persons ORDER BY person_id")
    lines = []
    assert await anew(rotated, lines.append) == 0
    assert lines[0] == "persons.name: 0 sealed anew, 0 left"
    assert await rows("SELECT person_id, name, id_number, phone, version FROM persons ORDER BY person_id") == before


async def test_what_is_broken_off_goes_on_where_it_was(rotated, rows):
    begun = asyncio.create_task(anew(rotated, batch=1))

    async def under_way():
        return "k2" in (await keys_of(rows))["persons.name"]

    async with asyncio.timeout(10):
        while not await under_way():  # noqa: ASYNC110 - what is awaited happens in the database
            await asyncio.sleep(0)
    begun.cancel()
    await asyncio.gather(begun, return_exceptions=True)
    assert "k1" in set().union(*(await keys_of(rows)).values())
    assert await anew(rotated) == 0
    assert set().union(*(await keys_of(rows)).values()) == {"k2"}


async def test_a_row_that_somebody_works_on_is_waited_for(rotated, rows):
    lines = []
    await rows("BEGIN")
    await rows("SELECT FROM persons WHERE person_id = $1 FOR UPDATE", PERSON["person_id"])
    running = asyncio.create_task(anew(rotated, lines.append))
    async with asyncio.timeout(10):
        while not any(line.startswith("persons.name") for line in lines):  # noqa: ASYNC110 - said by the other task
            await asyncio.sleep(0.01)
    assert lines[0] == "persons.name: 13 sealed anew, 1 left"
    await rows("COMMIT")
    assert await running == 0


async def test_what_no_key_opens_is_told_and_stops_nothing(rotated, rows, capsys):
    await rows("UPDATE persons SET name = id_number WHERE person_id = $1", FATHER["person_id"])
    with pytest.raises(SystemExit):
        await main.reseal_all(rotated.living.app)
    said = capsys.readouterr().out
    assert "persons.name: 13 sealed anew, 1 left" in said
    assert "1 values still lie under a retired key" in said
    assert (await keys_of(rows))["employees.name"] == {"k2"}
    assert CHILD["name"] not in said


async def test_the_change_is_journaled_without_what_was_sealed(rotated, rows):
    await anew(rotated)
    kept = await rows("SELECT actor_id, subject_id, details FROM journal WHERE act = 'accounts.reseal'")
    assert {"persons.name", "employees.name", "idempotency.answer"} <= {each["subject_id"] for each in kept}
    assert {each["actor_id"] for each in kept} == {"accounts"}
    assert PERSON["name"] not in str([each["details"] for each in kept])
