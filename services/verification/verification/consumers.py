"""The event door: what changes elsewhere and must not be remembered here."""

from typing import Protocol

from common.auth import CachedPosts
from common.inbox import Fact, Subscriptions
from tongban.accounts.v1 import account_events_pb2 as pb


class Staff(Protocol):
    """What the app lends to those who look after posts."""

    @property
    def posts(self) -> CachedPosts: ...


subscriptions = Subscriptions("verification")


@subscriptions.on(pb.PostChanged)
async def drop_post(app: Staff, _tx: object, fact: Fact[pb.PostChanged]) -> None:
    """A post was given, changed or ended: ask anew what its employee may do."""
    app.posts.drop(fact.body.employee_id)
