"""Organisations, employees and posts at the doors: the tree, the scope, who acts in which post."""

import asyncio
from datetime import timedelta

import pytest
from common.errors import RemoteRefusal
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import BODIES, OFFICERS, body_of, post_of

NEW = {"parent_id": BODIES["zhangdian"][0], "code": "cdc", "name": "张店区疾控中心", "department": "cdc"} | {
    "uscc": "12370303MB9TD0063Q",
    "region_code": "370303",
}


def reason(answer):
    return answer.status_code, answer.json()["reason"]


async def test_a_body_is_founded_once(city, facts):
    before = len(await facts("OrganisationChanged"))
    again = await city.tell("organisations", body_of("health"))
    assert (again["org_path"], again["uscc_doubtful"]) == ("zibo.zhangdian.health", False)
    assert len(await facts("OrganisationChanged")) == before
    for other in ({"name": "别的名字"}, {"org_id": None, "department": "cdc"}, {"org_id": BODIES["police"][0]}):
        answer = await city.ask("POST", "/v1/organisations", city.service(), body_of("health") | other)
        assert reason(answer) == (409, "ORGANISATION_ALREADY_FOUNDED")
    assert (await city.tell("organisations", body_of("health") | {"org_id": None}))["org_id"] == BODIES["health"][0]


async def test_two_who_found_the_same_at_once_found_one(city, rows):
    both = await asyncio.gather(*(city.ask("POST", "/v1/organisations", city.service(), NEW) for _ in range(4)))
    assert {answer.status_code for answer in both} == {200}
    assert len({answer.json()["org_id"] for answer in both}) == 1
    assert len(await rows("SELECT * FROM organisations WHERE code = 'cdc'")) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uscc": "12370303MB9TD0063R"}, "USCC_INVALID"),
        ({"region_code": "371102"}, "REGION_OUTSIDE_PARENT"),
        ({"parent_id": "00000000-0000-7000-8000-00000000dead"}, "PARENT_UNKNOWN"),
        ({"code": "a.b"}, "REQUEST_INVALID"),
        ({"region_code": "37"}, "REQUEST_INVALID"),
    ],
)
async def test_a_body_that_cannot_be_is_refused(city, wrong, said):
    assert reason(await city.ask("POST", "/v1/organisations", city.service(), NEW | wrong)) == (422, said)


async def test_an_officer_founds_within_the_scope(city):
    assert (await city.tell("organisations", NEW, city.officer("chief")))["org_path"] == "zibo.zhangdian.cdc"
    elsewhere = await city.ask("POST", "/v1/organisations", city.officer("zichuan_chief"), NEW)
    assert reason(elsewhere) == (422, "PARENT_UNKNOWN")
    root = await city.ask("POST", "/v1/organisations", city.officer("mayor"), NEW | {"parent_id": None})
    assert reason(root) == (422, "PARENT_UNKNOWN")


async def test_everybody_may_look_bodies_up(city):
    for token in (city.citizen(), city.officer("reader"), city.service()):
        found = (await city.ask("GET", "/v1/organisations?region_code=370303&department=police", token)).json()
        assert [body["code"] for body in found["items"]] == ["police"]
        one = await city.ask("GET", f"/v1/organisations/{BODIES['police'][0]}", token)
        assert one.json()["name"] == "机构police"
    page = (await city.ask("GET", "/v1/organisations?page_size=3", city.citizen())).json()
    rest = (await city.ask("GET", f"/v1/organisations?cursor={page['next_cursor']}", city.citizen())).json()
    assert [body["code"] for body in page["items"] + rest["items"]] == [
        *("zibo", "big_data", "zhangdian", "health", "police", "zichuan", "zichuan_police")
    ]


async def test_the_nearest_department_answers(city):
    request = pb.FindDepartmentsRequest(region_code="370303", departments=["police", "big_data", "tax"])
    found = (await city.call("FindDepartments", request, city.citizen())).organisations
    assert {body.department: body.region_code for body in found} == {"police": "370303", "big_data": "370300"}
    with pytest.raises(RemoteRefusal) as refused:
        await city.call("FindDepartments", pb.FindDepartmentsRequest(region_code="x"), city.citizen())
    assert refused.value.reason == "REGION_CODE_MALFORMED"
    request = pb.BatchGetOrganisationsRequest(org_ids=[BODIES["zibo"][0], "no id"])
    bodies = (await city.call("BatchGetOrganisations", request, city.citizen())).organisations
    assert [body.org_path for body in bodies] == ["zibo"]


async def test_an_officer_sees_those_of_the_own_region_and_body(city):
    def seen(answer):
        return {each["employee_id"] for each in answer.json()["items"]}

    path = "/v1/employees?page_size=100"
    everybody = seen(await city.ask("GET", path, city.officer("mayor")))
    assert everybody == {employee for employee, _, _ in OFFICERS.values()}
    zhangdian = {OFFICERS[name][0] for name in ("chief", "reader", "revealer", "powerless")}
    assert seen(await city.ask("GET", path, city.officer("chief"))) == zhangdian
    assert seen(await city.ask("GET", path, city.officer("zichuan_chief"))) == {OFFICERS["zichuan_chief"][0]}
    reader = f"/v1/employees/{OFFICERS['reader'][0]}"
    assert (await city.ask("GET", reader, city.officer("chief"))).json()["posts"][0]["title"] == "经办"
    assert reason(await city.ask("GET", reader, city.officer("zichuan_chief"))) == (404, "EMPLOYEE_NOT_FOUND")


async def test_colleagues_posts_are_looked_up_within_the_scope(city):
    request = pb.BatchGetPostsRequest(post_ids=[post_of("reader"), post_of("zichuan_chief"), post_of("mayor"), "no id"])
    found = (await city.call("BatchGetPosts", request, city.officer("chief"))).posts
    assert [(post.post_id, post.title, post.org_path) for post in found] == [
        (post_of("reader"), "经办", "zibo.zhangdian.police")
    ]
    assert {post.post_id for post in (await city.call("BatchGetPosts", request, city.service())).posts} == {
        post_of("reader"),
        post_of("zichuan_chief"),
        post_of("mayor"),
    }
    await city.tell(f"posts/{post_of('reader')}:end", {})
    assert not (await city.call("BatchGetPosts", request, city.officer("chief"))).posts
    with pytest.raises(RemoteRefusal) as refused:
        await city.call("BatchGetPosts", request, city.citizen())
    assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_posts_of_a_body_are_found_by_what_they_may_do(city):
    org_id = BODIES["police"][0]

    async def found(permission, token):
        request = pb.FindPostsRequest(org_ids=[org_id, "no id"], permission=permission)
        return [post.post_id for post in (await city.call("FindPosts", request, token)).posts]

    everybody = await found("", city.service())
    assert set(everybody) == {post_of(name) for name in ("reader", "revealer", "powerless")}
    assert await found("accounts:reveal_person", city.service()) == [post_of("revealer")]
    assert await found("accounts:reveal_person", city.officer("zichuan_chief")) == []
    await city.tell(f"posts/{post_of('revealer')}:end", None, city.officer("chief"))
    assert await found("accounts:reveal_person", city.service()) == []
    reader = ("employee", OFFICERS["reader"][0])
    await city.tell(f"accounts/{'/'.join(reader)}:suspend", {"reason": "核实"}, city.officer("chief"))
    assert await found("", city.service()) == [post_of("powerless")]
    with pytest.raises(RemoteRefusal) as refused:
        await city.call("FindPosts", pb.FindPostsRequest(org_ids=[org_id]), city.citizen())
    assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_an_officer_is_told_who_he_is(city):
    me = (await city.ask("GET", "/v1/me", city.officer("reader"))).json()
    assert (me["kind"], me["employee"]["name"]) == ("officer", "孙立")
    assert [post["post_id"] for post in me["posts"]] == [post_of("reader")]
    who = await city.call("WhoAmI", pb.WhoAmIRequest(), city.officer("reader"))
    assert (who.employee_id, who.posts[0].org_path) == (OFFICERS["reader"][0], "zibo.zhangdian.police")
    assert not (await city.call("WhoAmI", pb.WhoAmIRequest(), city.service())).employee_id


async def test_employees_and_posts_are_idempotent_by_id(city):
    employee_id, body, permissions = OFFICERS["reader"]
    person = {"employee_id": employee_id, "name": "孙立", "org_id": BODIES[body][0]}
    assert (await city.tell("employees", person))["employee_id"] == employee_id
    assert reason(await city.ask("POST", "/v1/employees", city.service(), person | {"name": "王立"})) == (
        409,
        "EMPLOYEE_ALREADY_KNOWN",
    )
    post = {"post_id": post_of("reader"), "employee_id": employee_id, "org_id": BODIES[body][0]}
    post |= {"title": "经办", "permissions": permissions}
    city.clock.advance(timedelta(days=1))
    assert (await city.tell("posts", post))["version"] == 1
    assert reason(await city.ask("POST", "/v1/posts", city.service(), post | {"title": "科长"})) == (
        409,
        "POST_ALREADY_GIVEN",
    )


async def test_posts_are_given_within_the_scope_and_to_others(city):
    post = {"employee_id": OFFICERS["reader"][0], "org_id": BODIES["health"][0], "title": "借调", "permissions": []}
    elsewhere = await city.ask("POST", "/v1/posts", city.officer("zichuan_chief"), post)
    assert reason(elsewhere) == (422, "ORGANISATION_UNKNOWN")
    own = post | {"employee_id": OFFICERS["chief"][0], "permissions": ["accounts:reveal_person"]}
    assert reason(await city.ask("POST", "/v1/posts", city.officer("chief"), own)) == (403, "OWN_POST")
    nobody = post | {"employee_id": "00000000-0000-7000-8000-00000000dead"}
    assert reason(await city.ask("POST", "/v1/posts", city.officer("chief"), nobody)) == (422, "EMPLOYEE_UNKNOWN")
    given = await city.tell("posts", post, city.officer("chief"))
    assert given["org_path"] == "zibo.zhangdian.health"
    path = f"/v1/posts/{given['post_id']}:end"
    assert reason(await city.ask("POST", path, city.officer("zichuan_chief"))) == (404, "POST_NOT_FOUND")
    own_end = await city.ask("POST", f"/v1/posts/{post_of('chief')}:end", city.officer("chief"))
    assert reason(own_end) == (403, "OWN_POST")


async def test_an_ended_post_is_refused_at_once(city, facts):
    token = city.officer("reader")
    resolved = (await city.call("ResolvePost", pb.ResolvePostRequest(), token)).post
    assert (resolved.post_id, resolved.region_code) == (post_of("reader"), "370303")
    assert "accounts:read_person" in resolved.permissions
    for unknown in (post_of("chief"), "no id"):
        with pytest.raises(RemoteRefusal) as refused:
            await city.call("ResolvePost", pb.ResolvePostRequest(post_id=unknown), token)
        assert refused.value.reason == "POST_NOT_HELD"

    ended = await city.tell(f"posts/{post_of('reader')}:end", None, city.officer("chief"))
    assert ended["version"] == 2
    with pytest.raises(RemoteRefusal) as refused:
        await city.call("ResolvePost", pb.ResolvePostRequest(), token)
    assert refused.value.reason == "POST_NOT_HELD"
    assert reason(await city.ask("GET", "/v1/organisations", token)) == (403, "POST_NOT_HELD")
    changed = (await facts("PostChanged"))[-1]
    assert (changed.post_id, changed.employee_id, changed.version) == (post_of("reader"), OFFICERS["reader"][0], 2)
    again = await city.ask("POST", f"/v1/posts/{post_of('reader')}:end", city.officer("chief"))
    assert reason(again) == (409, "POST_ALREADY_ENDED")


async def test_of_two_posts_the_one_named_counts(city):
    second = await city.tell(
        "posts",
        {
            "employee_id": OFFICERS["reader"][0],
            "org_id": BODIES["zichuan_police"][0],
            "title": "兼任",
            "permissions": ["accounts:manage_employee"],
            "rank": 1,
            "valid_until": (city.clock() + timedelta(days=2)).isoformat(),
        },
    )
    token = city.officer("reader")
    assert (await city.ask("GET", "/v1/employees", token)).status_code == 403
    seen = await city.ask("GET", "/v1/employees", token, **{"X-Post": second["post_id"]})
    assert [each["employee_id"] for each in seen.json()["items"]] == []
    resolved = await city.call("ResolvePost", pb.ResolvePostRequest(post_id=second["post_id"]), token)
    assert resolved.post.title == "兼任"
    city.clock.advance(timedelta(days=2))
    over = await city.ask("GET", "/v1/employees", token, **{"X-Post": second["post_id"]})
    assert reason(over) == (403, "POST_NOT_HELD")
    foreign = await city.ask("GET", "/v1/organisations", token, **{"X-Post": "chief"})
    assert reason(foreign) == (403, "POST_NOT_HELD")
