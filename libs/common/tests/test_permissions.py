"""Who may."""

import math

import pytest
from common.auth import Actor, Call, system
from common.errors import StepUpNeeded
from common.permissions import Caller, CallerNotAllowed, Permission, PermissionMissing, Post, check
from common.scope import region_prefix
from hypothesis import given
from hypothesis import strategies as st

NAME = "tickets:close_ticket"


def actor(kind, *, acr=1, proven_ago=math.inf, permissions=(), roles=(), region="370303", path="zibo.zhangdian"):
    post = Post("p", "e1", "o1", path, region, frozenset(permissions)) if kind is Caller.OFFICER else None
    return Actor(kind, "me", "token", "gateway", "s", acr, frozenset(roles), post, Call("r"), proven_ago)


@pytest.mark.parametrize(
    ("who", "callers", "refusal"),
    [
        (actor(Caller.CITIZEN), {Caller.CITIZEN}, None),
        (actor(Caller.CITIZEN), {Caller.OFFICER, Caller.SERVICE}, CallerNotAllowed),
        (actor(Caller.OFFICER, permissions=[NAME]), {Caller.OFFICER}, None),
        (actor(Caller.OFFICER, permissions=["tickets:other"], roles=[NAME]), {Caller.OFFICER}, PermissionMissing),
        (actor(Caller.OFFICER, permissions=[NAME]), {Caller.CITIZEN}, CallerNotAllowed),
        (actor(Caller.SERVICE, roles=[NAME], acr=0), {Caller.SERVICE}, None),
        (actor(Caller.SERVICE), {Caller.SERVICE}, PermissionMissing),
        (actor(Caller.SERVICE, roles=[NAME]), {Caller.OFFICER}, CallerNotAllowed),
        (actor(Caller.CITIZEN, acr=0), {Caller.CITIZEN}, StepUpNeeded),
        (system("tickets"), {Caller.SERVICE}, PermissionMissing),
    ],
)
def test_check(who, callers, refusal):
    permission = Permission(NAME, frozenset(callers))
    if refusal is None:
        check(who, permission)
        return
    with pytest.raises(refusal):
        check(who, permission)


@given(st.integers(0, 4), st.integers(0, 4))
def test_a_stronger_log_in_never_loses_a_right(has, needs):
    who, permission = actor(Caller.OFFICER, acr=has, permissions=[NAME]), Permission(NAME, frozenset(Caller), acr=needs)
    if has >= needs:
        check(who, permission)
        return
    with pytest.raises(StepUpNeeded) as refused:
        check(who, permission)
    assert refused.value.data == {"acr": needs}


@given(st.sampled_from(Caller), st.floats(0, 1e6) | st.just(math.inf), st.integers(0, 100_000))
def test_a_fresher_log_in_never_loses_a_right(kind, proven_ago, max_age):
    who = actor(kind, permissions=[NAME], roles=[NAME], proven_ago=proven_ago)
    permission = Permission(NAME, frozenset(Caller), max_age=max_age)
    if kind is Caller.SERVICE or proven_ago <= max_age:
        check(who, permission)
        return
    with pytest.raises(StepUpNeeded) as refused:
        check(who, permission)
    assert refused.value.data == {"acr": 1, "max_age": max_age}


@pytest.mark.parametrize(
    ("code", "prefix"),
    [("370300", "3703"), ("370303", "370303"), ("370000", "37"), ("370303001000", "3703030010"), ("0", "0")],
)
def test_region_prefix(code, prefix):
    assert region_prefix(code) == prefix
