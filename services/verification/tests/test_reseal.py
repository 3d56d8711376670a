"""The data key is changed while people go on working: everything is sealed anew and nothing is lost."""

import asyncio
import base64
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest
from common.auth import system
from common.testing import sealed_columns
from pydantic import SecretStr
from sealing import key_id, reseal
from verification import main
from verification.store.sealing import SEALED

from .town import FACE, MOTHER

KEYS = {f"k{number}": base64.b64encode(str(number).encode() * 32).decode() for number in (1, 2)}


@pytest.fixture
def served_with(town, open_house):
    """The same town behind another process."""

    async def opens(**changed):
        settings = town.living.app.settings.model_copy(update=changed)
        return replace(town, living=await open_house(main.opened, main.house, settings, parts=("doors",)))

    return opens


async def keys_of(rows):
    found = {}
    for sealed in SEALED:
        values = await rows(f"SELECT {sealed.column} FROM {sealed.table.name} WHERE {sealed.column} IS NOT NULL")
        found[sealed.name] = {key_id(value[0]) for value in values}
    return found


@pytest.mark.usefixtures("town")
async def test_every_sealed_column_is_known(rows):
    assert await sealed_columns(rows, digests={"evidence.fingerprint"}) == {each.name for each in SEALED}


async def test_everything_is_sealed_anew_while_people_go_on(town, served_with, rows, capsys):
    await town.publish()
    licences = [await town.issue(MOTHER) for _ in range(7)]
    assert (await town.void(licences[0])).status_code == 200
    await town.grant()
    await town.request(UUID(int=7))
    assert set(map(frozenset, (await keys_of(rows)).values())) <= {frozenset({"k1"}), frozenset()}
    rotated = await served_with(data_keys=secrets(KEYS))
    done = asyncio.Event()
    faces = []

    async def work():
        while not done.is_set():
            answer = await rotated.ask("GET", f"/v1/licences/{licences[1]['licence_id']}", rotated.citizen(MOTHER))
            faces.append(answer.json()["face"])
            await rotated.issue(MOTHER)

    working = asyncio.create_task(work())
    try:
        begin = partial(rotated.living.app.store.begin, system(main.NAME, route="reseal"))
        assert await reseal(begin, SEALED, [].append, batch=2) == 0
    finally:
        done.set()
        await working
    assert faces
    assert all(face == faces[0] for face in faces)
    await main.reseal_all(rotated.living.app)
    assert "licence_versions.face: 0 sealed anew, 0 left" in capsys.readouterr().out
    assert set().union(*(await keys_of(rows)).values()) == {"k2"}
    alone = await served_with(data_keys=secrets({"k2": KEYS["k2"]}))
    answer = await alone.ask("GET", f"/v1/licences/{licences[2]['licence_id']}", alone.citizen(MOTHER))
    assert answer.json()["face"] == faces[0]
    assert str(FACE) not in capsys.readouterr().out


def secrets(keys):
    return {name: SecretStr(key) for name, key in keys.items()}
