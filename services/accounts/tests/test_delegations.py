"""Posts lent to colleagues: resolved for the delegate, never more than the holder has, never onward, taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from accounts.domain.delegation import delegate, lent
from accounts.domain.post import EVERY_POST, Employee, Post
from common.errors import RemoteRefusal
from hypothesis import given
from hypothesis import strategies as st
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import BODIES, OFFICERS, PERSON, PURPOSE, post_of

REVEALER, POWERLESS = OFFICERS["revealer"][0], OFFICERS["powerless"][0]


def reason(answer):
    return answer.status_code, answer.json()["reason"]


@pytest.fixture
def lend(city):
    async def lent_post(*permissions, by="revealer", to=POWERLESS, days=7, **other):
        until = (city.clock() + timedelta(days=days)).isoformat()
        body = {"delegate_id": to, "permissions": list(permissions) or None, "valid_until": until} | other
        return await city.ask("POST", "/v1/delegations", city.officer(by), body)

    return lent_post


async def resolved(city, post_id="", *, by="powerless"):
    return (await city.call("ResolvePost", pb.ResolvePostRequest(post_id=post_id), city.officer(by))).post


async def not_held(city, post_id, *, by="powerless"):
    with pytest.raises(RemoteRefusal) as refused:
        await resolved(city, post_id, by=by)
    return refused.value.reason == "POST_NOT_HELD"


async def test_a_delegate_acts_in_the_lent_post_when_it_is_named(city, lend, facts, rows):
    await city.register()
    delegation = (await lend("accounts:reveal_person", "accounts:read_person")).json()
    path, purpose = f"/v1/persons/{PERSON['person_id']}", {"purpose": PURPOSE}
    assert reason(await city.ask("GET", path, city.officer("powerless"), **purpose)) == (403, "PERMISSION_MISSING")
    acting = {"X-Post": delegation["delegation_id"]}
    seen = await city.ask("GET", path, city.officer("powerless"), **purpose, **acting)
    assert seen.json()["name"] == PERSON["name"]
    # The journal says who acted and by which delegation; the person reads the body and the post.
    (entry,) = await rows("SELECT actor_id, post_id FROM journal WHERE act = 'accounts.read_person'")
    assert tuple(entry) == (POWERLESS, delegation["delegation_id"])
    assert (await city.access_log())[0].items() >= {"organisation": "机构police", "post_title": "经办"}.items()
    changed = (await facts("PostChanged"))[-1]
    assert (changed.post_id, changed.employee_id) == (delegation["delegation_id"], POWERLESS)


async def test_a_lent_post_is_told_and_comes_after_the_own(city, lend):
    delegation = (await lend()).json()
    own, borrowed = (await city.ask("GET", "/v1/me", city.officer("powerless"))).json()["posts"]
    assert (own["post_id"], own["acts_for_post_id"]) == (post_of("powerless"), None)
    assert (borrowed["post_id"], borrowed["acts_for_post_id"]) == (delegation["delegation_id"], post_of("revealer"))
    assert (await resolved(city)).post_id == post_of("powerless")
    post = await resolved(city, delegation["delegation_id"])
    assert (post.acts_for_post_id, post.employee_id, post.org_path) == (
        *(post_of("revealer"), POWERLESS),
        "zibo.zhangdian.police",
    )
    # All of the post but the right to lend it.
    assert set(post.permissions) - EVERY_POST == {*OFFICERS["revealer"][2]} - {"accounts:delegate_post"}
    assert await not_held(city, delegation["delegation_id"], by="reader")


async def test_it_ends_on_its_day(city, lend):
    delegation = (await lend(days=2)).json()
    assert await resolved(city, delegation["delegation_id"])
    city.clock.advance(timedelta(days=2))
    assert await not_held(city, delegation["delegation_id"])


async def test_it_is_taken_back_at_once(city, lend, facts):
    delegation = (await lend()).json()
    path = f"/v1/delegations/{delegation['delegation_id']}:revoke"
    assert reason(await city.ask("POST", path, city.officer("chief"))) == (404, "DELEGATION_NOT_FOUND")
    revoked = await city.ask("POST", path, city.officer("revealer"))
    assert revoked.json()["version"] == 2
    assert await not_held(city, delegation["delegation_id"])
    assert [fact.version for fact in (await facts("PostChanged"))[-2:]] == [1, 2]
    assert reason(await city.ask("POST", path, city.officer("revealer"))) == (409, "DELEGATION_ALREADY_OVER")
    (kept,) = (await city.ask("GET", "/v1/delegations", city.officer("revealer"))).json()["items"]
    assert kept["version"] == 2
    assert (await city.ask("GET", "/v1/delegations", city.officer("chief"))).json() == {"items": []}


async def test_a_lent_post_is_looked_up_as_long_as_it_is_held(city, lend):
    delegation = (await lend()).json()
    request = pb.BatchGetPostsRequest(post_ids=[delegation["delegation_id"]])
    (post,) = (await city.call("BatchGetPosts", request, city.service())).posts
    assert (post.post_id, post.employee_id, post.acts_for_post_id) == (
        *(delegation["delegation_id"], POWERLESS),
        post_of("revealer"),
    )
    assert not (await city.call("BatchGetPosts", request, city.officer("zichuan_chief"))).posts
    city.clock.advance(timedelta(days=7))
    assert not (await city.call("BatchGetPosts", request, city.service())).posts


async def test_it_is_over_with_the_post(city, lend, facts):
    delegation = (await lend()).json()
    await city.tell(f"posts/{post_of('revealer')}:end", None, city.officer("chief"))
    assert await not_held(city, delegation["delegation_id"])
    assert {fact.employee_id for fact in (await facts("PostChanged"))[-2:]} == {REVEALER, POWERLESS}


async def test_nothing_is_lent_onward(city, lend):
    first = (await lend("accounts:read_person", by="chief", to=OFFICERS["revealer"][0])).json()
    body = {"delegate_id": POWERLESS, "valid_until": (city.clock() + timedelta(days=1)).isoformat()}
    acting = {"X-Post": first["delegation_id"]}
    onward = await city.ask("POST", "/v1/delegations", city.officer("revealer"), body, **acting)
    assert reason(onward) == (403, "PERMISSION_MISSING")
    assert reason(await lend("accounts:delegate_post")) == (409, "DELEGATION_ONWARD")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ((POWERLESS, ["accounts:manage_post"], {}), (409, "DELEGATE_PERMISSION_MISSING")),
        ((REVEALER, [], {}), (409, "DELEGATE_OF_ONESELF")),
        ((OFFICERS["zichuan_chief"][0], [], {}), (409, "DELEGATE_OUTSIDE_ORGANISATION")),
        ((POWERLESS, [], {"valid_until": "2020-01-01T00:00:00Z"}), (409, "DELEGATION_ENDS_BEFORE_IT_BEGINS")),
        ((BODIES["police"][0], [], {}), (422, "EMPLOYEE_UNKNOWN")),
        ((POWERLESS, [], {"valid_until": None}), (422, "REQUEST_INVALID")),
    ],
)
async def test_what_cannot_be_lent_is_refused(lend, rows, wrong, said):
    to, permissions, other = wrong
    assert reason(await lend(*permissions, to=to, **other)) == said
    assert await rows("SELECT * FROM delegations") == []


async def test_the_rank_tells_which_post_is_acted_in(city, facts):
    second = await city.tell(
        "posts",
        {
            "employee_id": OFFICERS["reader"][0],
            "org_id": BODIES["health"][0],
            "title": "兼任",
            "permissions": [],
            "rank": 5,
        },
    )
    assert (await resolved(city, by="reader")).title == "经办"
    for post_id, number in ((post_of("reader"), 9), (second["post_id"], 1)):
        await city.tell(f"posts/{post_id}:rank", {"rank": number}, city.officer("chief"))
    assert (await resolved(city, by="reader")).title == "兼任"
    before = len(await facts("PostChanged"))
    again = await city.tell(f"posts/{second['post_id']}:rank", {"rank": 1}, city.officer("chief"))
    assert (again["version"], len(await facts("PostChanged"))) == (2, before)
    elsewhere = await city.ask(
        "POST", f"/v1/posts/{second['post_id']}:rank", city.officer("zichuan_chief"), {"rank": 2}
    )
    assert reason(elsewhere) == (404, "POST_NOT_FOUND")


verbs = st.frozensets(st.sampled_from([f"accounts:{verb}" for verb in ("read", "write", "delegate_post", "end")]))


@given(held=verbs, later=verbs, days=st.integers(1, 9), ends=st.none() | st.integers(1, 9))
def test_a_lent_post_never_does_more_than_its_holder_s(held, later, days, ends):
    at = datetime(2026, 11, 23, tzinfo=UTC)
    until = None if ends is None else at + timedelta(days=ends)
    ids = {"org_id": "police", "org_path": "zibo.police", "region_code": "370303"}
    post = Post(
        post_id="p", employee_id="holder", title="", permissions=tuple(held), rank=0, valid_from=at,
        valid_until=until, version=1, **ids,
    )  # fmt: skip
    to = Employee(employee_id="delegate", name="", **ids)
    delegation = delegate(
        "d", post=post, to=to, permissions=None, valid_from=at, valid_until=at + timedelta(days=days), at=at
    )
    # What the holder loses later, the delegate loses too.
    now = Post(**{name: getattr(post, name) for name in Post.__slots__} | {"permissions": tuple(later)})
    acted_in = lent(delegation, now)
    assert set(acted_in.permissions) - EVERY_POST <= held & later - {"accounts:delegate_post"}
    for day in range(10):
        moment = at + timedelta(days=day)
        assert now.is_held(moment) or not acted_in.is_held(moment)
