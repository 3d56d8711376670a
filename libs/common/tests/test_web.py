"""The HTTP door, on a real server."""

import asyncio
import hashlib
import time
from urllib.parse import quote

import httpx
import orjson
import pytest
import tickets
from common import web
from common.auth import TokenMissing
from common.errors import StepUpNeeded
from common.testing import Door, Matrix, Stranger, Who
from fastapi import APIRouter

CLOSE = "/v1/tickets/t1:close"


async def test_a_caller_is_let_in_as_what_the_token_says(living, officer):
    async with living.http(officer, post="post7", **{"X-Purpose": quote("核对住址")}) as http:
        answer = await http.get("/v1/tickets/t1", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "t1",
        "caller": "officer",
        "caller_id": "e1",
        "post": "post7",
        "purpose": "核对住址",
        "trace_id": "a" * 32,
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("ticket", "said"),
    [
        ("refusal", (409, "TICKET_ALREADY_CLOSED", "工单 refusal 已办结")),
        ("unknown", (404, "TICKET_UNKNOWN", "没有这张工单")),
        ("conflict", (409, "CONFLICT", "内容刚刚被他人修改，请刷新后重试")),
        ("away", (503, "UNAVAILABLE", "系统暂时繁忙，请稍后再试")),
        ("often", (429, "TOO_MANY", "操作过于频繁，请稍后再试")),
        ("group", (409, "TICKET_ALREADY_CLOSED", "工单 group 已办结")),
        ("lost", (503, "PART_AWAY", "系统暂时繁忙，请稍后再试")),
    ],
)
async def test_a_refusal_becomes_a_problem(living, citizen, ticket, said):
    status, reason, title = said
    async with living.http(citizen) as http:
        answer = await http.get(f"/v1/tickets/{ticket}")
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["reason"], problem["title"]) == (reason, title)
    assert problem["type"] == f"about:blank#{reason}"
    assert len(problem["trace_id"]) == 32
    assert problem["title_en"]
    assert ("retry-after" in answer.headers) is (status in {429, 503})
    if reason == "TICKET_UNKNOWN":
        assert problem["data"] == {"ticket_id": "unknown"}


async def test_an_unexpected_error_tells_nothing_but_its_trace(living, citizen, capsys):
    async with living.http(citizen) as http:
        answer = await http.get("/v1/tickets/broken")
    assert (answer.status_code, answer.json()["reason"]) == (500, "UNEXPECTED")
    assert "张三" not in answer.text
    assert "13812345678" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({}, 401, "TOKEN_MISSING"),
        ({"Authorization": "Basic YTpi"}, 401, "TOKEN_MISSING"),
        ({"Authorization": "Bearer"}, 401, "TOKEN_MISSING"),
        ({"Authorization": "Bearer nonsense"}, 401, "TOKEN_MALFORMED"),
        ({"Authorization": "Bearer " + "x" * 9000}, 401, "TOKEN_TOO_LONG"),
    ],
)
async def test_without_a_good_token_the_door_stays_shut(living, headers, status, reason):
    async with living.http(**headers) as http:
        answer = await http.get("/v1/tickets/t1")
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_weak_log_in_is_asked_to_step_up(living, issuer):
    weak = issuer.token("gov", employee_id="e1", aud="tickets", acr=1)
    async with living.http(weak) as http:
        answer = await http.post(CLOSE, json={"note": "好"})
    assert (answer.status_code, answer.json()["reason"], answer.json()["data"]) == (401, "STEP_UP_NEEDED", {"acr": 2})
    assert 'acr_values="2"' in answer.headers["www-authenticate"]


async def test_a_log_in_of_long_ago_is_asked_to_prove_itself_anew(living, issuer, officer):
    just, long_ago = int(time.time()) - 590, int(time.time()) - 601
    async with living.http(issuer.altered(officer, auth_time=just), **{"Idempotency-Key": "a"}) as http:
        assert (await http.post(CLOSE, json={"note": "好"})).status_code == 201
    for auth_time in (long_ago, None, str(just), True):
        async with living.http(issuer.altered(officer, auth_time=auth_time), **{"Idempotency-Key": "b"}) as http:
            answer = await http.post(CLOSE, json={"note": "好"})
        assert (answer.status_code, answer.json()["reason"]) == (401, "STEP_UP_NEEDED")
        assert answer.json()["data"] == {"acr": 2, "max_age": 600}
        assert answer.json()["title"] == "此操作需要更强或更近的身份验证，请再次验证身份"
        assert answer.headers["www-authenticate"].endswith('acr_values="2", max_age="600"')


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Idempotency-Key": ""}, "IDEMPOTENCY_KEY_MISSING"),
        ({"Idempotency-Key": "x" * 201}, "IDEMPOTENCY_KEY_INVALID"),
        ({"Idempotency-Key": "a b"}, "IDEMPOTENCY_KEY_INVALID"),
        ({"X-Post": "post 7; drop"}, "POST_INVALID"),
        ({"X-Purpose": "%ff"}, "PURPOSE_INVALID"),
        ({"X-Purpose": "a%00b"}, "PURPOSE_INVALID"),
        ({"X-Purpose": "x" * 201}, "PURPOSE_INVALID"),
    ],
)
async def test_a_header_that_is_wrong_is_named(living, officer, headers, reason):
    async with living.http(officer) as http:
        answer = await http.post(CLOSE, json={"note": "好"}, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)


async def test_the_body_is_hashed_with_what_it_is_sent_to(living, officer):
    body = orjson.dumps({"note": "好"})
    async with living.http(officer) as http:
        answer = await http.post(f"{CLOSE}?a=1", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    assert answer.json() == {
        "id": "t1",
        "note": "好",
        "route": "tickets.close_ticket",
        "hash": hashlib.sha256(b"POST\n" + f"{CLOSE}?a=1".encode() + b"\n" + body).hexdigest(),
    }


async def test_a_repeated_call_gets_the_earlier_answer(living, officer):
    async with living.http(officer) as http:
        await http.post(CLOSE, json={"note": "好"})
        answer = await http.post(CLOSE, json={"note": "好"})
    assert (answer.status_code, answer.content) == (201, b'{"id":"before"}')
    assert answer.headers["idempotency-replayed"] == "true"


async def test_wrong_fields_are_listed_without_what_was_sent(living, officer):
    sent = {"note": "", "count": "身份证370303199001011234", "张三": 1, "details": {"13812345678": "李四"}}
    async with living.http(officer) as http:
        answer = await http.post(CLOSE, json=sent)
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (422, "REQUEST_INVALID")
    assert {(each["field"], each["reason"], each["message"]) for each in problem["errors"]} == {
        ("body.note", "STRING_TOO_SHORT", "内容过短"),
        ("body.count", "INT_PARSING", "应为整数"),
        ("body.*", "EXTRA_FORBIDDEN", "不应填写此项"),
        ("body.details.*", "INT_PARSING", "应为整数"),
    }
    assert not any(each in answer.text for each in ("370303", "张三", "李四", "13812345678"))


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b'{"note": ', 422, "REQUEST_INVALID"),
        (b"\xff\xfe", 422, "REQUEST_INVALID"),
        (b"[" * 100_000, 400, "REQUEST_UNREADABLE"),
        (b'{"note": "a\\u0000b"}', 400, "REQUEST_UNREADABLE"),
        (b'{"note": "\\ud83d"}', 400, "REQUEST_UNREADABLE"),
        (b'{"note": "\\ude00\\ud83d"}', 400, "REQUEST_UNREADABLE"),
        (b'{"note": "\\ud83d\\ude00"}', 201, ""),
        (b'{"note": "\x01"}', 422, "REQUEST_INVALID"),
        (b'{"count": ' + b"9" * 5000 + b"}", 400, "REQUEST_UNREADABLE"),
        (b"", 422, "REQUEST_INVALID"),
    ],
)
async def test_a_body_that_is_no_text_never_breaks_the_door(living, officer, content, status, reason):
    async with living.http(officer) as http:
        answer = await http.post(CLOSE, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json().get("reason", "")) == (status, reason)


@pytest.mark.parametrize("path", ["/v1/tickets/a%00b", "/v1/tickets/a%0ab", "/v1/inner/tickets?cursor=%00"])
async def test_control_characters_in_an_address_are_refused(living, officer, path):
    async with living.http(officer) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (400, "REQUEST_UNREADABLE")


async def test_a_large_body_is_refused_before_it_is_read(living, officer):
    head = (
        f"POST {CLOSE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {officer}\r\nIdempotency-Key: k\r\n"
        f"Content-Type: application/json\r\nContent-Length: {(1 << 20) + 1}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", living.ports.http)
    writer.write(head.encode())  # not one byte of the body
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
    assert living.app.closed == set()


async def test_a_body_that_does_not_say_its_length_is_limited_too(living, officer):
    async def chunks():
        for _ in range(40):
            yield b" " * 32_768

    async with living.http(officer) as http:
        try:
            answer = await http.post(CLOSE, content=chunks(), headers={"Content-Type": "application/json"})
        except (httpx.WriteError, httpx.ReadError):
            answer = None  # the door was shut while we were still talking
    assert answer is None or (answer.status_code, answer.json()["reason"]) == (413, "REQUEST_TOO_LARGE")
    assert living.app.closed == set()


async def test_unknown_addresses_and_methods_are_problems_too(living, officer):
    async with living.http(officer) as http:
        unknown, method = await http.get("/nowhere"), await http.delete("/v1/tickets/t1")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "ROUTE_NOT_FOUND")
    assert (method.status_code, method.json()["reason"], method.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "GET")


async def test_the_document_says_who_may_call_what(living):
    async with living.http() as http:
        document = (await http.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    close = document["paths"]["/v1/tickets/{ticket_id}:close"]["post"]
    assert close["x-permission"] == {
        "name": "tickets:close_ticket",
        "callers": ["officer"],
        "acr": 2,
        "max_age": 600,
    }
    assert close["operationId"] == "close_ticket"
    assert {each["name"] for each in close["parameters"]} == {"ticket_id", "X-Post", "X-Purpose", "Idempotency-Key"}
    assert "Problem" in document["components"]["schemas"]
    assert "x-permission" in document["paths"]["/v1/inner/tickets"]["get"]
    assert all("x-permission" in each for path in document["paths"].values() for each in path.values())


async def test_a_route_that_names_no_caller_keeps_the_service_from_starting():
    outer, inner = APIRouter(), APIRouter()

    @inner.get("/open")
    async def open_to_all() -> str:
        return ""

    outer.include_router(inner)
    with pytest.raises(TypeError, match="open_to_all"):
        web.application(None, service="tickets", routers=[outer], authenticator=None, locale=tickets.LOCALE)


async def test_health_readiness_and_metrics_need_no_token(living, citizen):
    async with living.http(citizen) as http:
        await http.get("/v1/tickets/t1")
        assert (await http.get("/healthz")).text == "ok"
        assert (await http.get("/readyz")).json() == {"ready": True, "draining": False, "parts": {}}
        assert 'verb="read_ticket"' in (await http.get("/metrics")).text

        async def away():
            raise ConnectionError

        living.house.http.state.readiness.checks["database"] = away
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]) == (503, {"database": False})


async def test_each_request_leaves_one_line_and_no_secret(living, officer, capsys):
    async with living.http(officer) as http:
        await http.get("/v1/tickets/t1")
        await http.get("/v1/tickets/unknown")
    out = capsys.readouterr().out
    assert out.count("tickets.read_ticket") == 2
    assert "TICKET_UNKNOWN" in out
    assert officer not in out


def test_refusals_of_the_door_say_what_to_do():
    assert TokenMissing.reason == "TOKEN_MISSING"
    assert StepUpNeeded(acr=2).data == {"acr": 2}


async def test_everybody_who_may_not_is_refused_at_every_door(living, issuer, officer, citizen):
    number = iter(range(1000))

    async def fresh():
        return f"/v1/tickets/m{next(number)}:close", {"note": "好"}

    doors = [
        Door("GET", "/v1/tickets/t1", Who("citizen", citizen)),
        Door("GET", "/v1/inner/tickets", Who("citizen", citizen)),
        Door(
            "POST",
            "/v1/tickets/t1:close",
            Who("officer", officer),
            given=fresh,
            strangers=[Stranger(Who("weak officer", issuer.altered(officer, acr="1")), 401)],
        ),
    ]
    powerless = Who("powerless", issuer.token("gov", employee_id="powerless", aud="tickets", acr=3))
    async with living.http() as http:
        http.event_hooks = {}
        matrix = Matrix(http, issuer, service="tickets", powerless=powerless)
        assert await matrix.uncovered(doors) == (set(), set())
        assert await matrix.uncovered(doors[:1]) == (
            {"GET /v1/inner/tickets", "POST /v1/tickets/{ticket_id}:close"},
            set(),
        )
        tries = await matrix.knock(doors)
    assert [each for each in tries if not each.right] == []
    assert len(tries) > 30
