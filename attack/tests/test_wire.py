"""Bytes over a socket at the gateway: what is not a request is refused, and whoever dawdles keeps nobody waiting."""

import asyncio
import base64
import json
import time

import pytest
from attack.roles import CITIZEN
from attack.wire import Wire, bomb, deep, request, smuggled

from attack import corpora, crowd

FILINGS = "/citizen/api/orchestration/v1/filings"
# where every reader sees the same two requests
AGREED = {"folded header", "upgrade"}
OPEN = 1_000
# longer than a head may take, with room for a busy machine
PATIENCE = 25.0


@pytest.fixture
def wire(public_url):
    return Wire.to(public_url)


@pytest.fixture
def proof(everybody, public_url):
    """The headers of a citizen's own page."""
    citizen = next(role.browser for role in everybody if role.name == CITIZEN)
    cookie = citizen.cookies.get("__Host-citizen")
    return (
        f"Cookie: __Host-citizen={cookie}",
        f"Origin: {public_url}",
        "X-Tongban-CSRF: 1",
        "Content-Type: application/json",
    )


def key(name):
    return f"Idempotency-Key: wire-{name}-{time.monotonic_ns()}"


async def test_no_request_hides_in_another(wire, proof):
    wrong = []
    for what, said in smuggled(FILINGS, (*proof, key("smuggled"))).items():
        heard = await wire.say(said, within=5)
        # refused and closed; or, where both readers agree on the end, two answers for two requests
        if heard.status not in {0, 400, 404, 405, 422, 505}:
            wrong.append((what, heard.statuses, heard.text[:200]))
        if len(heard.statuses) > 1 and what not in AGREED:
            wrong.append((what, heard.statuses, heard.text[-200:]))
    assert wrong == []


async def test_no_path_leads_out_of_its_service(wire, proof):
    wrong = []
    for path in corpora.PATHS:
        heard = await wire.say(request("GET", path, (*proof, "Connection: close")), within=10)
        body = heard.text.partition(b"\r\n\r\n")[2]
        # below a face every other path is its page
        shown = {200} if body.startswith(b"<!doctype html>") else set()
        if (
            heard.status not in {400, 404} | shown
            or b"X-Injected" in heard.text
            or b"tongban_" in body
            or b"root:" in body
        ):
            wrong.append((path, heard.status, body[:200]))
    assert wrong == []


async def test_a_head_without_end_is_not_listened_to(wire):
    def endless():
        yield b"GET / HTTP/1.1\r\nHost: localhost\r\n"
        for line in range(2_000):
            yield f"X-{line}: {'x' * 8_000}\r\n".encode()

    heard = await wire.say(endless(), within=PATIENCE)
    assert heard.status in {0, 400, 431}
    assert heard.seconds < PATIENCE, "16 MB of headers were taken"

    def one_long():
        yield b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: "
        for _ in range(250):
            yield b"x" * 65_536

    heard = await wire.say(one_long(), within=PATIENCE)
    assert heard.status in {0, 400, 431}
    assert heard.seconds < PATIENCE


async def test_whoever_never_finishes_a_head_is_shown_out(wire):
    heard = await wire.say((b"GET / HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 100), pause=0.5, within=60)
    assert heard.seconds < PATIENCE


async def test_whoever_never_finishes_a_body_is_shown_out(wire, proof):
    head = request("POST", FILINGS, (*proof, key("slow"), "Content-Length: 1000"))
    heard = await wire.say((head, *[b" "] * 120), pause=0.5, within=80)
    assert heard.seconds < 2 * PATIENCE
    assert heard.status in {0, 400, 408, 503, 504}


async def test_a_thousand_who_hold_a_connection_keep_nobody_out(wire, everybody):
    citizen = next(role.browser for role in everybody if role.name == CITIZEN)
    before = await crowd.gateway_holds()
    async with crowd.crowd(wire, OPEN) as standing:
        assert standing.at_most == OPEN
        took, wrong = await crowd.calls(citizen, 5)
        meanwhile = await crowd.gateway_holds()
        # whoever stood there is asked to go, and comes back
        async with asyncio.timeout(PATIENCE):
            while standing.shown_out < OPEN // 2:  # noqa: ASYNC110 - it tells in no other way
                await asyncio.sleep(0.1)
    assert wrong == {}
    assert took[-1] < 10
    assert OPEN // 2 < meanwhile.files - before.files < 2 * OPEN
    # a connection costs some kilobytes
    assert meanwhile.megabytes - before.megabytes < 64
    after = await crowd.released(before, 30)
    assert after.files <= before.files + crowd.AT_ONCE


@pytest.mark.parametrize("packed", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_a_packed_body_is_not_unpacked(wire, proof, packed):
    body = bomb(64)
    head = (*proof, key("bomb"), f"Content-Encoding: {packed}", f"Content-Length: {len(body)}", "Connection: close")
    heard = await wire.say(request("POST", FILINGS, head, body))
    assert heard.status in {400, 413, 415, 422}, heard.text[:300]


@pytest.mark.parametrize(
    "body",
    [deep(100_000), b'{"a":' * 20_000 + b"1" + b"}" * 20_000, b"[" * 900_000, b"9" * 500_000, b"1e" + b"9" * 100_000,
     b'"' + b"\\" * 500_001, b'{"a":1' + b',"a":1' * 100_000 + b"}", b"\xff\xfe[\x00]\x00", b"\xef\xbb\xbf{}", b"\x00"],
    ids=["lists", "objects", "open", "digits", "exponent", "backslashes", "one name", "UTF-16", "mark", "NUL"],
)  # fmt: skip
async def test_json_that_is_meant_to_hurt_is_refused_at_once(wire, proof, body):
    head = (*proof, key("deep"), f"Content-Length: {len(body)}", "Connection: close")
    heard = await wire.say(request("POST", FILINGS, head, body))
    assert heard.status in {400, 422}, heard.text[:300]
    assert heard.seconds < 10


def cursors():
    for plain in ([[1] * 3], ["2026-01-01", "x"], [None, None], [{"a": 1}, 2], ["9" * 50, "x"], [10**30, 10**30], []):
        yield base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()
    yield base64.urlsafe_b64encode(b"[" * 2_000).decode()
    yield from ("x", "=", "A" * 4_000, "%00", "%ff%ff", "W10", "null")


async def test_a_cursor_of_ones_own_making_leads_nowhere(wire, proof):
    lists = (FILINGS, "/citizen/api/workbench/v1/messages", "/citizen/api/verification/v1/me/licences")
    wrong = []
    for path in lists:
        for cursor in cursors():
            heard = await wire.say(request("GET", f"{path}?cursor={cursor}", (*proof, "Connection: close")), within=10)
            if heard.status not in {400, 422}:
                wrong.append((path, cursor[:40], heard.status, heard.text[-200:]))
        for size in ("0", "-1", "101", "1e3", "9" * 400, "NaN"):
            heard = await wire.say(request("GET", f"{path}?page_size={size}", (*proof, "Connection: close")), within=10)
            if heard.status != 422:
                wrong.append((path, size[:40], heard.status, heard.text[-200:]))
    assert wrong == []
