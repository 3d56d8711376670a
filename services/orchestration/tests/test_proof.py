"""A matter names how surely the applicant must be known; accounts says how surely he or she is."""

import pytest

from .makers import newborn_json


async def test_whoever_is_not_known_surely_enough_cannot_hand_in(desk, others):
    filing = await desk.draft()
    digest = (await desk.plan(filing))["plan_digest"]
    others.departments.proof_level = 2
    refused = await desk.submit(filing, digest)
    assert (refused.status_code, refused.json()["reason"]) == (403, "PROOF_TOO_WEAK")
    assert refused.json()["data"] == {"needed": 3, "held": 2}
    assert refused.json()["detail"] == (
        "办理这件事需要第 3 级实名核验，您现在是第 2 级，请先到窗口或通过人脸核验提升等级"
    )
    # the draft stays, and goes as soon as the proof is there
    assert (await desk.filing(filing))["state"] == "draft"
    others.departments.proof_level = 3
    assert (await desk.submit(filing, digest)).status_code == 200


@pytest.mark.parametrize(("level", "status"), [(0, 200), (1, 403), (4, 403)])
async def test_a_matter_names_the_level_that_it_needs(desk, others, level, status):
    await desk.publish(newborn_json() | {"proof_level": level, "effective_from": "2026-02-01"})
    others.departments.proof_level = 0
    assert (await desk.submit(await desk.draft())).status_code == status
