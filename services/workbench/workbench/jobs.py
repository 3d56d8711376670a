"""The clock door: officers are reminded before a promise runs out."""

from collections.abc import Mapping
from typing import Protocol

from common.auth import system

from workbench import usecases
from workbench.store import Store


class Reminding(Protocol):
    """What the app lends to this job."""

    @property
    def store(self) -> Store: ...

    @property
    def sentences(self) -> Mapping[str, str]: ...


async def remind(app: Reminding) -> None:
    """Remind of every todo whose time has come; each commit is a batch, and another replica takes others."""
    more = True
    while more:
        async with app.store.begin(system("workbench", route="remind")) as tx:
            more = await usecases.remind_due(tx, sentences=app.sentences)
