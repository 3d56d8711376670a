"""A matter names how surely the applicant must be known; accounts says how surely he or she is."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orchestration.domain.proof import Proof, refuse_unproven
from orchestration.domain.refusals import ProofTooOld, ProofTooWeak

from .makers import a_definition, an_item, newborn_json

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)


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


async def test_a_matter_may_want_a_proof_of_these_minutes(desk, others, clock):
    await desk.publish(newborn_json() | {"proof_level": 3, "proof_minutes": 30, "effective_from": "2026-02-01"})
    others.departments.proof_obtained_at = clock() - timedelta(minutes=30, seconds=1)
    filing = await desk.draft()
    digest = (await desk.plan(filing))["plan_digest"]
    refused = await desk.submit(filing, digest)
    assert (refused.status_code, refused.json()["reason"]) == (403, "PROOF_TOO_OLD")
    assert refused.json()["data"] == {"level": 3, "minutes": 30}
    assert "请到窗口或通过人脸重新核验" in refused.json()["detail"]
    # too weak is said first: what is proven anew must be sure enough too
    others.departments.proof_level = 2
    assert (await desk.submit(filing, digest)).json()["reason"] == "PROOF_TOO_WEAK"
    # proven anew, the draft goes as it was shown
    others.departments.proof_level, others.departments.proof_obtained_at = 3, clock()
    assert (await desk.filing(filing))["state"] == "draft"
    assert (await desk.submit(filing, digest)).status_code == 200


@given(
    needed=st.integers(1, 4),
    held=st.integers(0, 4),
    minutes=st.none() | st.integers(1, 43_200),
    age=st.none() | st.timedeltas(timedelta(minutes=-5), timedelta(days=60)),
)
def test_too_weak_and_too_old_are_told_apart(needed, held, minutes, age):
    definition = a_definition(an_item("a"), proof_level=needed, proof_minutes=minutes)
    proof = Proof(held, None if age is None else AT - age)
    old = minutes is not None and (age is None or age > timedelta(minutes=minutes))
    expected = ProofTooWeak if held < needed else ProofTooOld if old else None
    with pytest.raises(expected) if expected else nullcontext():
        refuse_unproven(definition, proof, at=AT)
