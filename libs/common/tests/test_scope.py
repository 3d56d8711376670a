"""What is visible to whom, asked of a real database."""

import os

import pytest
from common.auth import Actor, Call
from common.permissions import Caller, Post
from common.scope import visible
from sqlalchemy import column, literal_column, select, values
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.types import String


@pytest.fixture
async def engine():
    made = create_async_engine(
        os.environ["TONGBAN_POSTGRES_ADMIN_URL"].replace("postgresql://", "postgresql+asyncpg://")
    )
    yield made
    await made.dispose()


def actor(kind, *, region="370303", path="zibo.zhangdian"):
    post = Post("p", "e1", "o1", path, region, frozenset()) if kind is Caller.OFFICER else None
    return Actor(kind, "me", "token", "gateway", "s", 1, frozenset(), post, Call("r"))


ROWS = [
    ("370303", "zibo.zhangdian", "me"),
    ("370303", "zibo.zhangdian.health", "other"),
    ("370303", "zibo.zhangdian2", "other"),
    ("370302", "zibo.zichuan", "other"),
    ("370300", "zibo", "me"),
    ("370303", "zibo_zhangdian.x", "other"),
]


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (actor(Caller.OFFICER), [0, 1]),
        (actor(Caller.OFFICER, region="370300", path="zibo"), [0, 1, 2, 3, 4]),
        (actor(Caller.OFFICER, region="370302", path="zibo"), [3]),
        (actor(Caller.OFFICER, path="zibo.zhangdian.health"), [1]),
        (actor(Caller.OFFICER, path="zibo_zhangdian"), [5]),
        (actor(Caller.CITIZEN), [0, 4]),
        (actor(Caller.SERVICE), [0, 1, 2, 3, 4, 5]),
    ],
)
async def test_visible(engine, who, seen):
    row = values(*(column(each, String) for each in ("region", "org", "owner")), name="rows").data(ROWS)
    wanted = visible(who, region=row.c.region, org=row.c.org, owner=row.c.owner)
    async with engine.connect() as connection:
        found = (await connection.execute(select(row).where(wanted))).all()
    assert [tuple(each) for each in found] == [ROWS[each] for each in seen]


@pytest.mark.parametrize(("line", "seen"), [(False, []), (True, [1, 3])])
async def test_a_line_is_seen_only_where_it_is_asked_for(engine, line, seen):
    guided = ("zibo.zhangdian.health", "zibo.zichuan")
    post = Post("p", "e1", "o1", "zibo.health", "370300", frozenset(), line_paths=guided)
    who = Actor(Caller.OFFICER, "me", "token", "gateway", "s", 1, frozenset(), post, Call("r"))
    row = values(*(column(each, String) for each in ("region", "org", "owner")), name="rows").data(ROWS)
    wanted = visible(who, region=row.c.region, org=row.c.org, line=line)
    async with engine.connect() as connection:
        found = (await connection.execute(select(row).where(wanted))).all()
    assert [tuple(each) for each in found] == [ROWS[each] for each in seen]


def test_what_a_table_does_not_name_nobody_sees_by_it():
    region = literal_column("region", String)
    assert str(visible(actor(Caller.CITIZEN), region=region)) == "false"
    assert str(visible(actor(Caller.OFFICER), owner=region)) == "false"
