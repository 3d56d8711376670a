"""The clock door: officers are reminded before a promise runs out, and hold nothing for a post they lost."""

from collections.abc import Mapping
from typing import Protocol

from common.auth import system

from workbench import usecases
from workbench.clients import Colleagues
from workbench.store import Store

_ASKED = 200  # as many as accounts answers at once


class Reminding(Protocol):
    """What the app lends to this job."""

    @property
    def store(self) -> Store: ...

    @property
    def sentences(self) -> Mapping[str, str]: ...


class Releasing(Reminding, Protocol):
    """What the app lends to this job."""

    @property
    def colleagues(self) -> Colleagues: ...


async def remind(app: Reminding) -> None:
    """Remind of every todo whose time has come; each commit is a batch, and another replica takes others."""
    more = True
    while more:
        async with app.store.begin(system("workbench", route="remind")) as tx:
            more = await usecases.remind_due(tx, sentences=app.sentences)


async def release(app: Releasing) -> None:
    """Open again what is claimed for posts that are held no longer: one may end, or be lent until a day, untold."""
    actor = system("workbench", route="release")
    async with app.store.begin(actor) as tx:
        claimers = await tx.todos.claimers()
    for start in range(0, len(claimers), _ASKED):
        some = claimers[start : start + _ASKED]
        holders = await app.colleagues.holders(some)
        for post_id in some:
            if post_id not in holders:
                async with app.store.begin(actor) as tx:
                    await usecases.release_todos(tx, post_id, reason=app.sentences["POST_LOST"])
