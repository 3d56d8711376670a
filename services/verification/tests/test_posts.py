"""Posts that change: what an officer may do is asked anew, however often it is told."""

import asyncio

from common import outbox
from common.bus import Letter
from tongban.accounts.v1 import account_events_pb2 as pb
from uuid_utils.compat import uuid7

from .town import OFFICERS


async def told(bus, clock, fact):
    """Deliver a fact twice, and wait until the service has dealt with it."""
    letter = str(uuid7())
    headers = {
        "ce-id": letter,
        "ce-type": fact.DESCRIPTOR.full_name,
        "ce-source": "/accounts",
        "ce-time": clock().isoformat(),
    }
    for delivery in ("first", "second"):
        # another message id each time, or the broker itself would drop the second
        sent = Letter(
            uuid7(), outbox.subject(fact), headers | {"Nats-Msg-Id": f"{letter}-{delivery}"}, outbox.body(fact)
        )
        assert await bus.publish_batch([sent]) != [None]
    async with asyncio.timeout(20):
        while True:
            info = await bus.consumer("EVT_ACCOUNTS", "verification-drop_post")
            if not info.num_pending and not info.num_ack_pending:
                return
            await asyncio.sleep(0.02)


async def test_what_an_officer_may_do_is_asked_anew(town, bus, clock, rows):
    path = "/v1/licence-types"
    assert (await town.ask("GET", path, town.officer("police"))).status_code == 200
    _, org_path, region_code = OFFICERS["police"]
    town.accounts.posts = [post for post in town.accounts.posts if post.employee_id != "police"]
    town.accounts.hire("police", org_path=org_path, region_code=region_code)
    # remembered for half a minute
    assert (await town.ask("GET", path, town.officer("police"))).status_code == 200
    await told(bus, clock, pb.PostChanged(post_id="post-police", employee_id="police", version=2))
    refused = await town.ask("GET", path, town.officer("police"))
    assert (refused.status_code, refused.json()["reason"]) == (403, "PERMISSION_MISSING")
    assert len(await rows("SELECT 1 FROM inbox")) == 1
