"""What is cut on the wire, and what is not."""

import asyncio
import time

import listening
import pytest

WITHIN = 5.0
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def say(port, pieces, pause=0.0):
    """Send pieces, hear until the other side closes; the statuses, and how long it took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    hearing = asyncio.create_task(reader.read())
    try:
        for piece in pieces:
            if hearing.done():
                break
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(WITHIN):
            heard = await hearing
    except ConnectionError:
        heard = b""
    finally:
        hearing.cancel()
        writer.close()
    return [each[:3] for each in heard.split(b"HTTP/1.1 ")[1:]], time.monotonic() - began


@pytest.mark.parametrize(
    "headers",
    [
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Host: y\r\n",
        b"Content-Length: 0, 4\r\n",
    ],
)
async def test_what_two_readers_would_read_differently_is_refused(port, headers):
    statuses, _ = await say(
        port, [HEAD + headers + b"Connection: close\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"]
    )
    assert statuses == [b"400"]


async def test_a_request_names_its_host(port):
    assert (await say(port, [b"GET / HTTP/1.1\r\n\r\n"]))[0] == [b"400"]
    assert (await say(port, [b"GET / HTTP/1.0\r\n\r\n"]))[0] == [b"200"]


async def test_a_head_has_an_end(port):
    statuses, _ = await say(port, [HEAD, *[b"X: " + b"x" * 8_000 + b"\r\n"] * 1_000])
    assert statuses == []
    statuses, _ = await say(port, [HEAD + b"X: ", *[b"x" * 65_536] * 200])
    assert statuses == []


async def test_a_long_body_is_no_long_head(port):
    size = 4 * listening.HEAD_LIMIT
    body = [HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size, *[b"x" * listening.HEAD_LIMIT] * 4]
    assert (await say(port, body))[0] == [b"200"]


async def test_requests_one_after_the_other_are_each_a_head_of_their_own(port):
    one = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 30_000 + b"\r\n\r\n"
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    assert (await say(port, [one, one, one, last], pause=0.05))[0] == [b"200"] * 4


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("said", [[b""], [HEAD], [HEAD, *[b"X: y\r\n"] * 100]], ids=["nothing", "half", "drops"])
async def test_whoever_never_finishes_a_head_is_shown_out(port, said):
    statuses, seconds = await say(port, said, pause=0.02)
    assert (statuses, seconds < WITHIN) == ([], True)


@pytest.mark.usefixtures("hurried")
async def test_whoever_drips_a_body_is_shown_out_and_whoever_sends_steadily_is_not(port):
    head = HEAD + b"Connection: close\r\nContent-Length: 100000\r\n\r\n"
    statuses, seconds = await say(port, [head, *[b"x"] * 100], pause=0.02)
    assert (statuses, seconds < WITHIN) == ([], True)
    statuses, _ = await say(port, [head, *[b"x" * 2_000] * 50], pause=0.02)
    assert statuses == [b"200"]


async def opened(port, said=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    await writer.drain()
    return reader, writer


async def is_closed(reader):
    """The other side has hung up, without a word."""
    try:
        async with asyncio.timeout(WITHIN):
            return await reader.read() == b""
    except ConnectionResetError:
        return True


async def answered(reader, writer, said):
    """The head of the answer; its body is one digit."""
    writer.write(said)
    async with asyncio.timeout(WITHIN):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
    return head


async def test_where_all_places_are_taken_whoever_was_silent_longest_makes_room(port, monkeypatch):
    monkeypatch.setattr(listening, "MOST", 5)
    get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    # one is in the middle of a request, and one has been answered after the silent ones came
    at_work = await opened(port, HEAD + b"Content-Length: 4\r\n\r\nab")
    known = await opened(port)
    silent = [await opened(port, each) for each in (b"", HEAD, b"")]
    assert b"200" in await answered(*known, get)
    newcomers = []
    try:
        for reader, _ in silent:
            newcomers.append(await opened(port))
            assert b"200" in await answered(*newcomers[-1], get)
            assert await is_closed(reader)
        # who is at work goes on, and so does whoever spoke last
        assert b"200" in await answered(*newcomers[-1], get)
        assert b"200" in await answered(*at_work, b"cd")
    finally:
        for _, writer in (at_work, known, *silent, *newcomers):
            writer.close()


def test_a_process_keeps_files_for_itself(monkeypatch):
    monkeypatch.setattr(listening.resource, "getrlimit", lambda _: (1024, 4096))
    assert listening.room() == 768
    monkeypatch.setattr(listening.resource, "getrlimit", lambda _: (1 << 20, 1 << 20))
    assert listening.room() == listening.MOST
