"""Matters as people read them."""

from datetime import timedelta

from .makers import newborn_json


async def test_the_matters_in_effect_are_listed(desk):
    listed = (await desk.get("/v1/matters")).json()["items"]
    assert [(each["code"], each["version"], each["name"]) for each in listed] == [("newborn", 1, "新生儿出生一件事")]


async def test_a_matter_shows_what_its_form_is_made_of(desk):
    matter = (await desk.get("/v1/matters/newborn")).json()
    assert matter["determinants"][0]["values"][0] == {"value": "insured", "name": "已参加"}
    assert matter["form"]["properties"]["child_name"]["title"] == "新生儿姓名"
    assert len(matter["items"]) == 7


async def test_a_version_takes_effect_on_its_day(desk, clock):
    await desk.publish({**newborn_json(), "name": "改名", "effective_from": "2026-12-01"})
    assert (await desk.get("/v1/matters/newborn")).json()["version"] == 1
    clock.advance(timedelta(days=8))
    assert (await desk.get("/v1/matters/newborn")).json()["version"] == 2
