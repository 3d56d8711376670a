"""The event door: what changes elsewhere and must not be remembered here."""

from typing import Protocol

from common.auth import CachedPosts, CachedStanding
from common.inbox import Fact, Subscriptions
from tongban.accounts.v1 import account_events_pb2 as pb

from verification import usecases
from verification.store import Tx


class Staff(Protocol):
    """What the app lends to those who look after posts."""

    @property
    def posts(self) -> CachedPosts: ...

    @property
    def standing(self) -> CachedStanding: ...


subscriptions = Subscriptions("verification")


@subscriptions.on(pb.PostChanged)
async def drop_post(app: Staff, _tx: object, fact: Fact[pb.PostChanged]) -> None:
    """A post was given, changed or ended: ask anew what its employee may do."""
    app.posts.drop(fact.body.employee_id)


@subscriptions.on(pb.PersonsMerged)
async def follow_merger(_app: Staff, tx: Tx, fact: Fact[pb.PersonsMerged]) -> None:
    """Two records are of one person: what the duplicate held, the surviving person holds."""
    await usecases.follow_merger(tx, fact.named("merged_id"), fact.named("surviving_id"))


@subscriptions.on(pb.AccountSuspended)
async def drop_suspended(app: Staff, _tx: object, fact: Fact[pb.AccountSuspended]) -> None:
    """An account was suspended: ask anew before the person is let in."""
    app.standing.drop(fact.body.account_id)


@subscriptions.on(pb.AccountClosed)
async def drop_closed(app: Staff, _tx: object, fact: Fact[pb.AccountClosed]) -> None:
    """An account was closed: ask anew before the person is let in."""
    app.standing.drop(fact.body.account_id)
