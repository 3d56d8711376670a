"""What passes through, what does not, and how it flows."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from demo.browser import Browser

from .surroundings import Service, World, around, until


@pytest.fixture
async def app(world: World, service_token: str) -> AsyncIterator[httpx.AsyncClient]:
    """A department's app with its token."""
    async with world.http(authorization=f"Bearer {service_token}") as client:
        yield client


def lower(said: dict) -> dict[str, str]:
    return {name.lower(): value for name, value in said["headers"]}


async def raw(world: World, request: bytes) -> bytes:
    port = world.gateway.ports.http
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_identity_from_outside_is_stripped(app: httpx.AsyncClient, service_token: str):
    forged = {
        "X-User-Id": "1", "X-Forwarded-User": "1", "X-App-Id": "1", "X-Person-Id": "1", "X-Employee-Id": "1",
        "X_User_Id": "1", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example", "Forwarded": "for=1",
        "Cookie": "__Host-citizen=x", "Proxy-Authorization": "x", "X-Original-URL": "/v1/x", "X-Real-IP": "1",
        "Connection": "X-Purpose, X-Hop", "X-Hop": "1", "Keep-Alive": "1", "TE": "trailers", "Upgrade": "h2c",
        "Expect": "nothing",
    }  # fmt: skip
    said = (await app.get("/api/accounts/v1/me", headers=forged)).json()
    seen = lower(said)
    assert set(seen) <= {"host", "accept", "accept-encoding", "user-agent", "authorization", "traceparent"}
    assert seen["authorization"] == f"Bearer {service_token}"


async def test_what_the_services_need_passes(app: httpx.AsyncClient):
    passing = {
        "X-On-Behalf": "c1",
        "X-Post": "p1", "X-Purpose": "%E5%8A%9E%E7%90%86", "Idempotency-Key": "k1", "Last-Event-ID": "7",
        "Accept": "application/json", "Content-Type": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }  # fmt: skip
    said = (await app.post("/api/accounts/v1/persons", headers=passing, content=b'{"a": 1}')).json()
    seen = lower(said)
    trace = seen.pop("traceparent")
    assert trace.startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert "b7ad6b7169203331" not in trace
    for name, value in passing.items():
        assert name == "traceparent" or seen[name.lower()] == value
    assert said["body"] == '{"a": 1}'


async def test_a_new_trace_begins_where_none_is_given(app: httpx.AsyncClient):
    seen = lower((await app.get("/api/accounts/v1/me", headers={"traceparent": "rubbish"})).json())
    assert len(seen["traceparent"]) == 55


async def test_the_address_passes_as_it_was_sent(app: httpx.AsyncClient):
    said = (await app.get("/api/accounts/v1/cases/%E5%BC%A0:accept?a=1&b=%2F%20x&c=a+b")).json()
    assert said["target"] == "/v1/cases/%E5%BC%A0:accept?a=1&b=%2F%20x&c=a+b"


@pytest.mark.parametrize(
    "path",
    [
        "/api/accounts/v1/../openapi.json",
        "/api/accounts/v1/%2e%2e/openapi.json",
        "/api/accounts/v1/%2E%2E%2Fopenapi.json",
        "/api/accounts/v1/a%2fb",
        "/api/accounts/v1/a%5cb",
        "/api/accounts/v1/a\\b",
        "/api/accounts/v1/a%252fb",
        "/api/accounts/v1//me",
        "/api/accounts//v1/me",
        "/api/accounts/v1/./me",
        "/api/accounts/v1/me/",
        "/api/accounts/v1/me%00",
        "/api/accounts/v1/me%0d%0aX:1",
        "/api/accounts/v1/%ff",
        "/api/accounts/v1/me;x=/../y",
        "/api/accounts/openapi.json",
        "/api/accounts/metrics",
        "/api/accounts/v2/me",
        "/api/accounts/v1",
        "/api/accounts",
        "/api/nobody/v1/me",
        "/api/ACCOUNTS/v1/me",
        "/api//v1/me",
        "/api/accounts@evil.example/v1/me",
        "/api/../api/accounts/v1/me",
        "/nothing",
        "/citizen/api/../api/accounts/v1/me",
        "//evil.example/api/accounts/v1/me",
    ],
)
async def test_tricks_with_paths_lead_nowhere(world: World, service_token: str, path: str):
    before = sum(len(each.got) for each in world.services.values())
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service_token}\r\nConnection: close\r\n\r\n"
    answer = await raw(world, head.encode("latin-1"))
    assert answer.split(b" ")[1] in (b"404", b"400"), answer
    assert sum(len(each.got) for each in world.services.values()) == before


async def test_five_megabytes_flow_both_ways(app: httpx.AsyncClient):
    block = b"0123456789abcdef" * 4096

    async def sending() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield block

    answer = await app.put("/api/accounts/v1/swallow", content=sending())
    assert answer.json() == {"size": 80 * 65536, "sha256": hashlib.sha256(block * 80).hexdigest()}
    answer = await app.put("/api/accounts/v1/swallow", content=block * 80)
    assert answer.json()["size"] == 80 * 65536
    answer = await app.get("/api/accounts/v1/pour", params={"pieces": 80})
    assert answer.content == b"x" * 80 * 65536


@pytest.mark.parametrize("counted", [True, False])
async def test_a_body_over_the_limit_is_refused(app: httpx.AsyncClient, *, counted: bool):
    block = b"x" * 65536

    async def sending() -> AsyncIterator[bytes]:
        for _ in range(161):
            yield block

    answer = await app.put("/api/accounts/v1/swallow", content=block * 161 if counted else sending())
    assert answer.status_code == 413
    assert answer.json()["reason"] == "BODY_TOO_LARGE"


async def test_events_arrive_at_once_and_leaving_ends_them(world: World, app: httpx.AsyncClient):
    service = world.services["accounts"]
    service.left.clear()
    began = time.monotonic()
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "41"}
    async with app.stream("GET", "/api/accounts/v1/events", headers=headers) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        first = await anext(stream.aiter_text())
        assert first == "data: after 41\n\n"
        assert time.monotonic() - began < 2
    async with asyncio.timeout(5):
        await service.left.wait()


async def test_a_caller_who_leaves_ends_the_work(world: World, app: httpx.AsyncClient):
    service = world.services["accounts"]
    service.left.clear()
    service.waiting.clear()
    call = asyncio.create_task(app.get("/api/accounts/v1/dawdle"))
    async with asyncio.timeout(5):
        await service.waiting.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await service.left.wait()


async def test_a_service_that_is_away_is_503(app: httpx.AsyncClient):
    answer = await app.get("/api/verification/v1/licences")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "SERVICE_AWAY"
    assert answer.headers["Retry-After"]
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_service_that_is_being_restarted_is_waited_for(service_token: str):
    restarted = Service("accounts")
    async with restarted.serve():
        pass  # now it has a port, and nobody listens there
    async with (
        around(http_port=0, services={"accounts": restarted.url}, restart_within=timedelta(seconds=10)) as other,
        other.http(authorization=f"Bearer {service_token}") as app,
    ):
        calls = [asyncio.create_task(app.post("/api/accounts/v1/here", content=b"said once")) for _ in range(5)]
        await asyncio.sleep(0.5)
        assert not any(call.done() for call in calls)
        async with restarted.serve():
            answers = await asyncio.gather(*calls)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [said["body"] for said in restarted.got] == ["said once"] * 5


async def test_a_service_that_is_too_slow_is_504(service_token: str):
    async with (
        around(http_port=0, answer_within=timedelta(seconds=0.5)) as other,
        other.http(authorization=f"Bearer {service_token}") as app,
    ):
        for accept in ("application/json", "text/event-stream"):
            answer = await app.get("/api/accounts/v1/dawdle", headers={"Accept": accept})
            assert (answer.status_code, answer.json()["reason"]) == (504, "SERVICE_TOO_SLOW")


async def test_an_answer_that_breaks_off_is_not_passed_for_whole(app: httpx.AsyncClient):
    with pytest.raises(httpx.RemoteProtocolError):
        await app.get("/api/accounts/v1/break")


async def test_a_redirect_is_not_followed_and_shows_our_address(world: World, app: httpx.AsyncClient):
    inner = f"{world.services['accounts'].url}/v1/there"
    for to in ("/v1/there", inner):
        answer = await app.get("/api/accounts/v1/elsewhere", params={"to": to})
        assert (answer.status_code, answer.headers["Location"]) == (307, "/api/accounts/v1/there")
    answer = await app.get("/api/accounts/v1/elsewhere", params={"to": "https://evil.example/"})
    assert answer.status_code == 502


async def test_services_set_no_cookies_and_open_no_origins(app: httpx.AsyncClient):
    answer = await app.get("/api/accounts/v1/cookie")
    assert not {"set-cookie", "x-hop", "access-control-allow-origin"} & set(answer.headers)


async def test_every_answer_is_armoured(app: httpx.AsyncClient, inside: Browser):
    answers = [
        await app.get("/api/accounts/v1/me"),
        await app.get("/nothing"),
        await app.request("TRACE", "/api/accounts/v1/me"),
        await app.get("/citizen/"),
        await app.get("/"),
        await app.get("/docs"),
        await app.get("/pages/face.js"),
        await app.get("/citizen/auth/callback"),
        await app.get("/citizen/auth/session"),
        await inside.call("GET", "accounts/v1/me"),
    ]
    for answer in answers:
        headers = answer.headers
        # people come by http here: on their own machine
        assert "Strict-Transport-Security" not in headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "server" not in headers
        assert all(len(headers.get_list(name)) == 1 for name in ("cache-control", "content-security-policy"))


async def test_whoever_comes_by_https_is_told_to_stay_with_it():
    async with around(http_port=0, public_url="https://tongban.example.cn") as other, other.http() as app:
        for path in ("/citizen/", "/nothing", "/api/accounts/v1/me", "/citizen/auth/callback"):
            told = (await app.get(path)).headers.get_list("Strict-Transport-Security")
            assert told == ["max-age=63072000; includeSubDomains"]


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PROPFIND", "CONNECT"])
async def test_other_methods_are_not_served(world: World, service_token: str, method: str):
    head = f"{method} /api/accounts/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service_token}\r\n"
    answer = await raw(world, f"{head}Connection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"405", b"404", b"400"), answer


async def test_too_many_headers_and_too_long_addresses_are_refused(app: httpx.AsyncClient):
    answer = await app.get("/api/accounts/v1/me", headers={f"x-{number}": "1" for number in range(80)})
    assert answer.status_code == 431
    answer = await app.get("/api/accounts/v1/me", headers={"x-long": "1" * 20_000})
    assert answer.status_code == 431
    answer = await app.get("/api/accounts/v1/me", params={"q": "1" * 9_000})
    assert answer.status_code == 414


async def test_smuggled_lengths_are_refused(world: World, service_token: str):
    head = f"POST /api/accounts/v1/swallow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service_token}\r\n"
    for lengths in (
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: +4\r\n",
        "Content-Length : 4\r\n",
    ):
        answer = await raw(world, f"{head}{lengths}Connection: close\r\n\r\n0\r\n\r\nGET /x".encode())
        assert answer.split(b" ")[1] == b"400", (lengths, answer)


def forged(token: str, header: dict | None = None, **claims: object) -> str:
    head, body, signature = token.split(".")

    def changed(part: str, by: dict) -> str:
        found = json.loads(base64.urlsafe_b64decode(part + "=="))
        return base64.urlsafe_b64encode(json.dumps(found | by).encode()).rstrip(b"=").decode()

    return ".".join((changed(head, header or {}), changed(body, claims), signature))


async def test_bearers_are_examined_before_anything_passes(world: World, service_token: str):
    before = sum(len(each.got) for each in world.services.values())
    cases = [
        (None, "BEARER_MISSING"),
        ("Basic eDp5", "BEARER_MISSING"),
        ("Bearer", "BEARER_MISSING"),
        ("Bearer rubbish", "TOKEN_MALFORMED"),
        (f"Bearer {service_token[:-4]}AAAA", "TOKEN_SIGNATURE"),
        (f"Bearer {forged(service_token, {'alg': 'none'})}", "TOKEN_ALGORITHM"),
        (f"Bearer {forged(service_token, {'alg': 'HS256'})}", "TOKEN_ALGORITHM"),
        (f"Bearer {forged(service_token, azp='gateway')}", "TOKEN_SIGNATURE"),
        (f"Bearer {forged(service_token, iss='https://evil.example')}", "TOKEN_ISSUER"),
    ]
    async with world.http() as stranger:
        for authorization, reason in cases:
            headers = {"Authorization": authorization} if authorization else {}
            answer = await stranger.get("/api/accounts/v1/me", headers=headers)
            assert (answer.status_code, answer.json()["reason"]) == (401, reason)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert sum(len(each.got) for each in world.services.values()) == before


async def test_a_cookie_opens_nothing_at_the_bearers_door(world: World, inside: Browser):
    answer = await inside.http.get(f"{world.url}/api/accounts/v1/me")
    assert (answer.status_code, answer.json()["reason"]) == (401, "BEARER_MISSING")


async def test_a_bearer_opens_nothing_at_a_face(app: httpx.AsyncClient):
    assert (await app.get("/citizen/api/accounts/v1/me")).status_code == 401


def document(schema: str) -> dict:
    reference = {"$ref": "#/components/schemas/Thing"}
    return {
        "openapi": "3.1.0",
        "paths": {
            "/v1/things": {
                "get": {
                    "operationId": "list_things",
                    "summary": schema,
                    "responses": {"200": {"content": {"application/json": {"schema": reference}}}},
                    "x-permission": {"name": "x:read", "callers": ["citizen"], "acr": 1},
                }
            },
            "/inside": {"get": {"responses": {}}},
        },
        "components": {
            "schemas": {"Thing": {"type": "object", "title": schema, "properties": {"next": reference}}},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


async def test_one_document_describes_all_services(world: World, app: httpx.AsyncClient):
    world.services["accounts"].document = document("A")
    world.services["workbench"].document = document("W")

    async def merged() -> bool:
        return "/api/workbench/v1/things" in (await app.get("/openapi.json")).json()["paths"]

    await until(merged, within=60)
    told = (await app.get("/openapi.json")).json()
    assert told["openapi"] == "3.1.0"
    assert "/api/accounts/v1/things" in told["paths"]
    assert not any("inside" in path for path in told["paths"])
    assert "/{face}/auth/login" in told["paths"]
    things = told["paths"]["/api/accounts/v1/things"]["get"]
    assert things["operationId"] == "accounts.list_things"
    assert things["x-permission"]["name"] == "x:read"
    reference = things["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/accounts.Thing"
    assert told["components"]["schemas"]["accounts.Thing"]["title"] == "A"
    assert told["components"]["schemas"]["workbench.Thing"]["title"] == "W"
    assert set(told["components"]["securitySchemes"]) == {"bearer", "citizen", "workbench"}
    page = await app.get("/docs")
    assert "/api/workbench/v1/things" in page.text


async def test_the_faces_first_pages_stand_by_themselves(app: httpx.AsyncClient):
    for face in ("citizen", "workbench"):
        page = await app.get(f"/{face}/")
        assert page.status_code == 200
        assert f'href="/{face}/auth/login"' in page.text
        assert 'name="viewport"' in page.text
        assert "http" not in page.text.replace("http-equiv", "")
        assert (await app.get(f"/{face}")).headers["Location"] == f"/{face}/"
    assert (await app.get("/pages/style.css")).headers["Content-Type"].startswith("text/css")


async def test_health_readiness_and_metrics(app: httpx.AsyncClient):
    assert (await app.get("/healthz")).text == "ok"
    assert (await app.get("/readyz")).json()["ready"] is True
    assert "tongban_door_seconds" in (await app.get("/metrics")).text


async def test_no_base_and_no_form_lead_elsewhere(app: httpx.AsyncClient):
    policy = (await app.get("/citizen/api/accounts/v1/me")).headers["Content-Security-Policy"]
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy.split("; "))
