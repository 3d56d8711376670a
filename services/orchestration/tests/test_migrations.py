"""The migrations make the tables that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chaining import TABLE
from common.db import PLUMBING
from orchestration import models
from sqlalchemy.ext.asyncio import create_async_engine

OURS = {row.__tablename__ for row in models.SQLModel.__subclasses__() if row.__module__ == models.__name__}


def differences(connection):
    def ours(_item, name, kind, reflected, compared):
        if kind == "table":
            # In one run with others' tests their models are loaded too.
            return name in OURS or (reflected and compared is None and name not in {*PLUMBING, TABLE})
        return True

    context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_server_default": False})
    return compare_metadata(context, models.SQLModel.metadata)


async def test_the_tables_are_those_of_the_models(database):
    engine = create_async_engine(await database("orchestration"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
