"""The clock door: officers are reminded before a promise runs out, and hold nothing for a post they lost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from common.auth import system

from workbench import usecases
from workbench.clients import Colleagues
from workbench.store import Store

_ASKED = 200  # as many as accounts answers at once
_PATIENCE = timedelta(minutes=10)  # what was ready before and is unclaimed may be where nobody is


class Reminding(Protocol):
    """What the app lends to this job."""

    @property
    def store(self) -> Store: ...

    @property
    def sentences(self) -> Mapping[str, str]: ...


class Staffing(Reminding, Protocol):
    """What the app lends to those who look after posts."""

    @property
    def colleagues(self) -> Colleagues: ...


async def remind(app: Reminding) -> None:
    """Remind of every todo whose time has come; each commit is a batch, and another replica takes others."""
    more = True
    while more:
        async with app.store.begin(system("workbench", route="remind")) as tx:
            more = await usecases.remind_due(tx, sentences=app.sentences)


async def release(app: Staffing) -> None:
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


async def unstaffed(app: Staffing) -> None:
    """Tell the organisations above of todos that wait where no post may claim them."""
    actor = system("workbench", route="unstaffed")
    async with app.store.begin(actor) as tx:
        since = tx.unit.at - _PATIENCE
        waiting = await tx.todos.waiting_bodies(since)
    for start in range(0, len(waiting), _ASKED):
        some = waiting[start : start + _ASKED]
        staffed = await app.colleagues.staffed(some)
        for org_id in some:
            if org_id not in staffed:
                async with app.store.begin(actor) as tx:
                    await usecases.tell_unstaffed(tx, org_id, since=since, sentences=app.sentences)
