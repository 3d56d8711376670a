"""The professional line (条) beside the block (块): who guides whom, and which posts see along it."""

import pytest
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import BODIES, OFFICERS, body_of

CITY_HEALTH = {
    "org_id": "00000000-0000-7000-8000-000000000121",
    "parent_id": BODIES["zibo"][0],
    "code": "health",
    "name": "淄博市卫生健康委员会",
    "department": "health",
    "uscc": "11370300MB9TD00128",
    "region_code": "370300",
}
ZICHUAN_HEALTH = CITY_HEALTH | {
    "org_id": "00000000-0000-7000-8000-000000000122",
    "parent_id": BODIES["zichuan"][0],
    "line_parent_id": CITY_HEALTH["org_id"],
    "region_code": "370302",
}
STATION = ZICHUAN_HEALTH | {
    "org_id": "00000000-0000-7000-8000-000000000123",
    "parent_id": BODIES["zichuan"][0],
    "code": "station",
    "line_parent_id": ZICHUAN_HEALTH["org_id"],
}


async def post_in(city, line, employee="powerless"):
    body = {"employee_id": OFFICERS[employee][0], "org_id": CITY_HEALTH["org_id"], "title": "处长", "permissions": []}
    given = await city.tell("posts", body | {"line": line, "rank": 5})
    token = city.officer(employee)
    return (await city.call("ResolvePost", pb.ResolvePostRequest(post_id=given["post_id"]), token)).post


async def test_a_post_of_the_line_sees_what_its_body_guides(city):
    for body in (CITY_HEALTH, ZICHUAN_HEALTH, STATION):
        assert (await city.tell("organisations", body))["line_parent_id"] == body.get("line_parent_id")
    assert await city.tell("organisations", ZICHUAN_HEALTH) == await city.tell("organisations", ZICHUAN_HEALTH)
    seeing = await post_in(city, line=True)
    assert list(seeing.line_paths) == ["zibo.zichuan.health", "zibo.zichuan.station"]
    assert list((await post_in(city, line=False)).line_paths) == []
    posts = (await city.ask("GET", "/v1/me", city.officer("powerless"))).json()["posts"]
    assert [each["line_paths"] for each in posts if each["line"]] == [list(seeing.line_paths)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"line_parent_id": BODIES["police"][0]}, "LINE_DEPARTMENT_DIFFERS"),
        ({"department": "", "line_parent_id": BODIES["zichuan"][0]}, "LINE_DEPARTMENT_DIFFERS"),
        ({"line_parent_id": BODIES["health"][0]}, "REGION_OUTSIDE_PARENT"),
        ({"line_parent_id": OFFICERS["mayor"][0]}, "LINE_PARENT_UNKNOWN"),
    ],
)
async def test_a_line_joins_departments_of_one_kind_downward(city, wrong, said):
    answer = await city.ask("POST", "/v1/organisations", city.service(), ZICHUAN_HEALTH | wrong)
    assert (answer.status_code, answer.json()["reason"]) == (422, said)
    # A line is part of what an organisation says.
    other = body_of("health") | {"line_parent_id": BODIES["health"][0]}
    refused = await city.ask("POST", "/v1/organisations", city.service(), other)
    assert refused.json()["reason"] == "ORGANISATION_ALREADY_FOUNDED"
