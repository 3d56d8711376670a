"""The gRPC door and the way through it, on real sockets."""

import asyncio

import grpc
import pytest
import tickets
from common import rpc, telemetry
from common.auth import Actor, Call
from common.errors import Kind, NotFound, Refusal, RemoteRefusal
from common.permissions import Caller, Post
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tongban.accounts.v1 import account_service_pb2 as pb
from tongban.accounts.v1 import account_service_pb2_grpc as stubs


@pytest.fixture
async def stub(living):
    async with living.channel() as channel:
        yield stubs.AccountServiceStub(channel)


def asking(*ids):
    return pb.BatchGetOrganisationsRequest(org_ids=ids)


async def test_the_actor_travels_with_post_purpose_and_trace(stub, officer):
    post = Post("post7", "e1", "o1", "zibo.health", "370303", frozenset())
    call = Call("tickets.close_ticket", purpose="核对住址")
    actor = Actor(Caller.OFFICER, "e1", officer, "gateway", "s", 2, frozenset(), post, call)
    with telemetry.span("test"):
        answer = await rpc.call(stub.BatchGetOrganisations, asking(), actor=actor)
        assert answer.organisations[0].org_id == "officer e1 post7 核对住址"
        assert answer.organisations[0].name == telemetry.trace_id()


async def test_a_service_calls_with_its_own_token(stub, issuer):
    token = issuer.token("gov", service="dispatch", aud="tickets", roles=["accounts:read_organisation"])
    answer = await rpc.call(stub.BatchGetOrganisations, asking(), token=token)
    assert answer.organisations[0].org_id == "service dispatch  None"


@pytest.mark.parametrize(
    ("org", "said"),
    [
        ("unknown", ("TICKET_UNKNOWN", Kind.NOT_FOUND, "没有这张工单")),
        ("refusal", ("TICKET_ALREADY_CLOSED", Kind.REFUSED, "工单 refusal 已办结")),
        ("conflict", ("CONFLICT", Kind.CONFLICT, "内容刚刚被他人修改，请刷新后重试")),
        ("often", ("TOO_MANY", Kind.TOO_MANY, "操作过于频繁，请稍后再试")),
    ],
)
async def test_a_refusal_comes_back_as_what_it_was(stub, citizen, org, said):
    with pytest.raises(RemoteRefusal) as refused:
        await rpc.call(stub.BatchGetOrganisations, asking(org), token=citizen)
    assert (refused.value.reason, refused.value.kind, refused.value.sentence) == said
    assert refused.value.data.get("ticket_id", org) == org


@pytest.mark.parametrize(
    ("org", "code"), [("away", "UNAVAILABLE"), ("broken", "INTERNAL"), ("slow", "DEADLINE_EXCEEDED")]
)
async def test_a_peer_that_is_away_broken_or_slow_is_unavailable(stub, citizen, org, code):
    with pytest.raises(rpc.PeerUnavailable) as refused:
        await rpc.call(stub.BatchGetOrganisations, asking(org), token=citizen, timeout=0.5)
    assert refused.value.data == {"code": code}


async def test_nobody_listens(citizen):
    async with rpc.channel("127.0.0.1:9") as channel:
        with pytest.raises(rpc.PeerUnavailable):
            await rpc.call(stubs.AccountServiceStub(channel).WhoAmI, pb.WhoAmIRequest(), token=citizen)


async def test_only_an_idempotent_call_is_tried_again():
    tries = []

    async def flaky(_request, *, timeout, metadata):  # noqa: ASYNC109
        tries.append((timeout, metadata))
        if len(tries) < 3:
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())
        return "answer"

    assert await rpc.call(flaky, None, token="t") == "answer"
    assert {timeout for timeout, _ in tries} == {2.0}
    tries.clear()
    with pytest.raises(rpc.PeerUnavailable):
        await rpc.call(flaky, None, token="t", idempotent=False)
    assert len(tries) == 1


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ({}, "TOKEN_MISSING"),
        ({"realm": "citizen", "person_id": "p1", "aud": "other"}, "TOKEN_AUDIENCE"),
        ({"realm": "gov", "employee_id": "e1", "aud": "tickets", "typ": "ID"}, "TOKEN_TYPE"),
        ({"realm": "gov", "employee_id": "powerless", "aud": "tickets"}, "PERMISSION_MISSING"),
        ({"realm": "gov", "service": "dispatch", "aud": "tickets"}, "PERMISSION_MISSING"),
    ],
)
async def test_the_same_verification_as_over_http(stub, issuer, token, reason):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.BatchGetOrganisations(
            asking(), timeout=2, metadata=[("authorization", f"Bearer {issuer.token(**token)}")] if token else []
        )
    assert refused.value.details() == reason


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (b"\xff" * 20, "message"),
        (b"\x0a\x02\xc3\x28", "message"),
        (b"\x0a\x7fhalf", "message"),
        (asking("a\0b").SerializeToString(), "org_ids"),
        (asking("x" * 1_000_000).SerializeToString(), "org_ids"),
    ],
)
async def test_what_is_no_message_is_refused_by_the_part_that_is_wrong(living, citizen, sent, field):
    async with living.channel() as channel:
        ask = channel.unary_unary("/tongban.accounts.v1.AccountService/BatchGetOrganisations")
        with pytest.raises(grpc.aio.AioRpcError) as stranger:
            await ask(sent, timeout=2)
        with pytest.raises(RemoteRefusal) as refused:
            await rpc.call(ask, sent, token=citizen)
    # whoever may not ask is not told what is wrong with the question
    assert stranger.value.details() == "TOKEN_MISSING"
    assert (refused.value.reason, refused.value.kind) == ("MESSAGE_UNREADABLE", Kind.INVALID)
    assert refused.value.data == {"field": field}


@pytest.mark.parametrize("purpose", ["%00", "%ff", "x" * 201])
async def test_a_purpose_is_as_short_and_sound_as_over_http(stub, citizen, purpose):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.BatchGetOrganisations(
            asking(), timeout=2, metadata=[("authorization", f"Bearer {citizen}"), ("x-purpose", purpose)]
        )
    assert refused.value.details() == "PURPOSE_INVALID"


async def test_a_verb_that_is_not_open_to_the_caller(stub, citizen):
    with pytest.raises(RemoteRefusal) as refused:
        await rpc.call(stub.BatchGetPersons, pb.BatchGetPersonsRequest(), token=citizen)
    assert (refused.value.reason, refused.value.kind) == ("CALLER_NOT_ALLOWED", Kind.DENIED)


async def test_a_verb_without_access_keeps_the_service_from_starting(living):
    with pytest.raises(TypeError, match="access option"):
        rpc.server(
            living.app,
            [(health_pb2_grpc.add_HealthServicer_to_server, health_pb2_grpc.HealthServicer())],
            living.app.authenticator,
            tickets.LOCALE,
        )


async def test_health_and_reflection_are_open(living):
    async with living.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=2)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_remote_refusal_keeps_its_status_at_our_http_door():
    refusal = RemoteRefusal("CASE_UNKNOWN", kind=Kind.NOT_FOUND, sentence="没有这件办件")
    assert isinstance(refusal, Refusal)
    assert not isinstance(refusal, NotFound)
    assert (refusal.kind, RemoteRefusal.kind) == (Kind.NOT_FOUND, Kind.REFUSED)
    await asyncio.sleep(0)
