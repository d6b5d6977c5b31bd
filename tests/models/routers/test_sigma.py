"""Facts about the policy that goes by doubt."""

from hypothesis import given
from hypothesis import strategies as st

from models.records import Stage, Stop
from models.routers import SigmaPolicy
from models.routers.sigma import HOPED_SHARE
from tests.models.routers.rows import COST_MS, table_of


@given(st.lists(st.floats(1, 400), max_size=30), st.floats(0, 10))
def test_one_stage_further_exactly_above_the_threshold(errors, price):
    decision = SigmaPolicy().decide(table_of(errors, price=price))
    tau_mm = price * COST_MS[Stage.REFINE]

    assert sorted(decision.refine) == [row for row, error in enumerate(errors) if HOPED_SHARE * error - tau_mm > 0]
    assert set(decision.stop.values()) <= {Stop.CONFIDENT}
    assert len(decision.expert) == 0


def test_after_refine_the_next_is_expert_and_then_there_is_none():
    assert SigmaPolicy().decide(table_of([300.0], stage=Stage.REFINE)).expert.tolist() == [0]
    assert SigmaPolicy().decide(table_of([300.0], stage=Stage.EXPERT)).stop == {0: Stop.DEEPEST}
