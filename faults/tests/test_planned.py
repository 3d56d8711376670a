"""The order of the faults: the same for the same seed, spread over the work, each victim once before chance decides."""

from faults.chaos import VICTIMS, Kind, planned
from hypothesis import given
from hypothesis import strategies as st


@given(seed=st.integers(), count=st.integers(0, 60), acts=st.integers(1, 5000))
def test_a_seed_tells_all(seed, count, acts):
    plan = planned(seed, count, acts)
    assert plan == planned(seed, count, acts)
    assert len(plan) == count
    assert [fault.after for fault in plan] == sorted(fault.after for fault in plan)
    assert all(0 <= fault.after <= acts for fault in plan)
    assert len({fault.victim for fault in plan}) >= min(count, len(VICTIMS))
    assert all((fault.seconds > 0) == (fault.kind is Kind.FREEZE) for fault in plan)
