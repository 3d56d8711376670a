"""A mother registers her child alone, in the other district: she is asked for no father and no marriage certificate."""

import pytest
from demo.browser import CallRefused
from demo.people import Cast, Sessions
from demo.settings import Settings

from demo import city, newborn
from e2e.test_newborn import cases
from e2e.waiting import eventually

REGION = "370302"
OFFICERS = ("zichuan_health", "zichuan_cdc", "zichuan", "zichuan_insurance", "zichuan_social")


@pytest.mark.timeout(120)
async def test_a_single_mother_files_and_her_district_decides(people: Cast, settings: Settings) -> None:
    async with Sessions(settings) as sessions:
        mother = await sessions.of("zhoulan")
        content = newborn.form(6001, mother="zhoulan", father=None)

        # who says that she registers alone names no father; who does not, does
        father = {"father_name": "张伟", "father_id": city.citizen("zhangwei")["person_id"]}
        for wrong in (content | father, {name: value for name, value in content.items() if name != "parents"}):
            with pytest.raises(CallRefused) as refused:
                await newborn.begin(mother, wrong, region=REGION)
            assert refused.value.reason == "DRAFT_INVALID"
            fields = {error["field"] for error in refused.value.problem["data"]["errors"]}
            assert fields == {"father_name", "father_id"}

        # everything is known of her already, and nothing is asked of anybody else
        filing_id = (await newborn.begin(mother, content, region=REGION))["filing_id"]
        plan = await newborn.plan(mother, filing_id)
        assert plan["complete"]
        assert {"father_id_card", "marriage_certificate"}.isdisjoint(each["code"] for each in plan["materials"])
        await newborn.submit(mother, filing_id, plan["plan_digest"])

        # her own district's departments decide, those too whose colleagues next door have systems of their own
        officers = [await sessions.of(name) for name in OFFICERS]
        handled: set[str] = set()

        async def closed() -> newborn.JSON | None:
            filing = await newborn.filing(mother, filing_id)
            await newborn.decide_together(officers, filing, 6001, handled=handled)
            return filing if filing["state"] == "closed" else None

        found = cases(await eventually(closed, within=60))
        assert len(found) == 7
        assert {case["org_path"].rpartition(".")[0] for case in found.values()} == {"zibo.zichuan"}
        held = await newborn.every(mother, "verification/v1/me/licences")
        certificate = next(each for each in held if each["licence_id"] == found["birth_certificate"]["licence_id"])
        face = {entry["code"] for entry in certificate["face"]}
        assert "mother_name" in face
        assert "father_name" not in face
