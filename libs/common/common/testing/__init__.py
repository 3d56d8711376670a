"""The pytest plugin: real servers and real doors. A conftest names it: `pytest_plugins = ["common.testing"]`."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from common import telemetry
from common.testing.bus import Broker, broker, broker_process, bus
from common.testing.database import Databases, MakeDatabase, database, databases, sealed_columns
from common.testing.house import Living, living
from common.testing.issuer import Issuer
from common.testing.matrix import Door, Matrix, Stranger, Who
from common.testing.world import SHANGHAI, Clock, Ids

__all__ = [
    "SHANGHAI",
    "Broker",
    "Clock",
    "Databases",
    "Door",
    "Ids",
    "Issuer",
    "Living",
    "MakeDatabase",
    "Matrix",
    "Stranger",
    "Who",
    "broker",
    "broker_process",
    "bus",
    "database",
    "databases",
    "living",
    "sealed_columns",
]  # fmt: skip

type OpenHouse = Callable[..., Awaitable[Living]]

_ids = Ids()


def pytest_configure() -> None:
    """Log as the services do: without values, without people's data."""
    telemetry.setup("tests")
    # httpx looks for it at every turn, and a search for what is not installed begins anew each time
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    """Give a clock that the test moves; it begins on a Monday morning."""
    return Clock()


@pytest.fixture
def ids() -> Ids:
    """Give ids that count up through the whole run."""
    return _ids


@pytest.fixture(scope="session")
async def issuer() -> AsyncIterator[Issuer]:
    """Serve an issuer for the whole run."""
    async with Issuer().serve() as served:
        yield served


@pytest.fixture
async def open_house(clock: Clock, ids: Ids) -> AsyncIterator[OpenHouse]:
    """Open services: `await open_house(main.opened, main.house, Settings(...), parts=("doors",))`."""
    async with AsyncExitStack() as stack:

        async def opens(opened: Any, house: Any, settings: Any, **how: Any) -> Living:
            return await stack.enter_async_context(living(opened, house, settings, clock=clock, ids=ids, **how))

        yield opens
