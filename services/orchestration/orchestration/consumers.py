"""The event door: what changes elsewhere and must not be remembered here."""

from typing import TYPE_CHECKING

from common.inbox import Fact, Subscriptions
from tongban.accounts.v1 import account_events_pb2 as pb

from orchestration.usecases import App

if TYPE_CHECKING:
    from orchestration.store import Tx

subscriptions = Subscriptions("orchestration")


@subscriptions.on(pb.PostChanged)
async def drop_post(app: App, _tx: "Tx", fact: Fact[pb.PostChanged]) -> None:
    """A post was given, changed or ended: ask anew what its employee may do."""
    app.posts.drop(fact.body.employee_id)
