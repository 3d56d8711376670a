"""The migrations make the tables that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chaining import TABLE
from common.db import PLUMBING
from sqlalchemy.ext.asyncio import create_async_engine
from workbench import models


def differences(connection):
    def ours(_item, name, kind, reflected, compared):
        return not (kind == "table" and reflected and compared is None and name in {*PLUMBING, TABLE})

    context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_server_default": False})
    return compare_metadata(context, models.SQLModel.metadata)


async def test_the_tables_are_those_of_the_models(database_url):
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
