"""The stream: what browsers are told while they are open, resumed without a gap."""

import asyncio
import socket

import pytest
from workbench.usecases.hub import MOST_TABS, News, Tab

from .office import MOTHER, STRANGER, claim, submitted
from .stream import ACCEPT, opened


async def test_a_citizen_hears_of_a_message_at_once(office):
    async with opened(office, MOTHER) as stream, opened(office, STRANGER) as other:
        assert (await stream.next()).data == {"unread": 0, "todos": None}
        await other.next()
        filing = submitted()
        await office.orchestration.tell(filing)
        event = await stream.next("message")
        assert (event.id, event.data["kind"], event.data["title"]) == ("1", "filing_submitted", "申请已提交")
        assert "body" not in event.data
        assert (await stream.next("counts")).data["unread"] == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await other.next()


async def test_officers_hear_that_their_counts_changed(office):
    async with opened(office, "police") as stream, opened(office, "zichuan") as elsewhere:
        assert (await stream.next("counts")).data["todos"]["open"] == 0
        await elsewhere.next("counts")
        todo = await office.open_one()
        assert (await stream.until(lambda event: event.data["todos"]["open"] == 1)).name == "counts"
        await office.ask("POST", claim(todo))
        mine = await stream.until(lambda event: event.data["todos"]["mine"] == 1)
        assert (mine.data["todos"]["open"], mine.data["todos"]["claimed"]) == (0, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await elsewhere.next()


async def test_what_was_missed_is_told_first_and_nothing_twice(office):
    async with opened(office, MOTHER) as stream:
        await stream.next("counts")
        await office.orchestration.tell(submitted())
        last = (await stream.next("message")).id
    filings = [submitted() for _ in range(130)]
    await office.orchestration.tell(*filings)
    async with opened(office, MOTHER, last) as stream:
        told = [await stream.next("message") for _ in filings]
        assert [event.id for event in told] == [str(2 + place) for place in range(130)]
        assert (await stream.next()).data["unread"] == 131
        await office.orchestration.tell(submitted())
        assert (await stream.next("message")).id == "132"


@pytest.mark.parametrize("last", ["nonsense", "1.2.3", "-1", "99999999999999999999999"])
async def test_an_id_that_is_none_of_ours_begins_now(office, last):
    await office.orchestration.tell(submitted())
    async with opened(office, MOTHER, last) as stream:
        event = await stream.next()
        assert (event.name, event.id) == ("counts", "1")


async def test_many_tabs_and_replicas_hear_the_same(office, replica):
    async with (
        opened(office, MOTHER) as first,
        opened(office, MOTHER) as second,
        opened(replica, MOTHER) as third,
    ):
        tabs = (first, second, third)
        for tab in tabs:
            await tab.next("counts")
        await office.orchestration.tell(submitted(), submitted())
        for tab in tabs:
            assert [(await tab.next("message")).id for _ in range(2)] == ["1", "2"]
        message = (await office.ask("GET", "/v1/messages", MOTHER)).json()["items"][0]
        await office.ask("POST", f"/v1/messages/{message['message_id']}:read", MOTHER)
        for tab in tabs:
            await tab.until(lambda event: event.name == "counts" and event.data["unread"] == 1)


async def test_a_restart_loses_nothing(office, closing_replica):
    read = []

    async def reading():
        async with opened(closing_replica.office, MOTHER) as stream:
            while True:
                read.append(await stream.next())

    task = asyncio.create_task(reading())
    await eventually(lambda: read)
    await office.orchestration.tell(submitted())
    await eventually(lambda: any(event.name == "message" for event in read))
    # the replica drains: its readers are let go at once, and come back to another one
    closing_replica.stop.set()
    with pytest.raises(EOFError):
        await asyncio.wait_for(task, 5)
    await office.orchestration.tell(submitted())
    async with opened(office, MOTHER, read[-1].id) as stream:
        assert (await stream.next("message")).id == "2"


async def eventually(right):
    async with asyncio.timeout(10):
        while not right():  # noqa: ASYNC110 - what is watched tells nobody
            await asyncio.sleep(0.02)


async def test_who_leaves_is_forgotten(office):
    hub = office.living.app.hub
    async with opened(office, MOTHER) as stream:
        await stream.next("counts")
        assert hub.tabs == 1
    await eventually(lambda: hub.tabs == 0)


async def test_a_reader_who_takes_nothing_harms_nobody(office):
    port = office.living.ports.http
    slow = socket.create_connection(("127.0.0.1", port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    token = office.citizen(MOTHER)
    asked = ("GET /v1/stream HTTP/1.1", "Host: x", "Accept: text/event-stream", f"Authorization: Bearer {token}")
    slow.sendall("\r\n".join((*asked, "", "")).encode())
    async with opened(office, MOTHER) as stream:
        await stream.next("counts")
        for _ in range(10):
            await office.orchestration.tell(*(submitted() for _ in range(20)))
        assert [(await stream.next("message")).id for _ in range(200)] == [str(1 + place) for place in range(200)]
    slow.close()
    await eventually(lambda: office.living.app.hub.tabs == 0)


async def test_too_many_tabs_are_refused(office):
    async with asyncio.TaskGroup() as group:
        close = asyncio.Event()

        async def tab():
            async with opened(office, MOTHER) as stream:
                await stream.next("counts")
                await close.wait()

        for _ in range(MOST_TABS):
            group.create_task(tab())
        await eventually(lambda: office.living.app.hub.tabs == MOST_TABS)
        answer = await office.ask("GET", "/v1/stream?seconds=1", MOTHER, **ACCEPT)
        assert (answer.status_code, answer.json()["reason"]) == (429, "TOO_MANY_TABS")
        close.set()


async def test_only_who_accepts_a_stream_gets_one(office):
    answer = await office.ask("GET", "/v1/stream", MOTHER)
    assert (answer.status_code, answer.json()["reason"]) == (422, "EVENT_STREAM_NOT_ACCEPTED")


def test_a_queue_that_is_full_lets_its_reader_go():
    tab = Tab()
    for place in range(tab.queue.maxsize + 1):
        assert not tab.is_lost
        tab.put(News(None, place))
    assert tab.is_lost
