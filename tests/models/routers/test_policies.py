"""Facts about every policy."""

import numpy as np
import pytest
from hypothesis import given

from models.calibration.fit import neutral
from models.calibration.tables import Calibration
from models.records import Stage, Stop
from models.routers import AlwaysPolicy, GainPolicy, NeverPolicy, RandomPolicy, SigmaPolicy, policies
from tests.models.routers.rows import COST_MS, GAINS, table_of, tables

POLICIES = [GainPolicy(GAINS), SigmaPolicy(), NeverPolicy(), AlwaysPolicy(), RandomPolicy()]
ALL = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)


@ALL
@given(table=tables())
def test_everybody_is_sent_on_or_stopped_exactly_once(policy, table):
    decision = policy.decide(table)

    rows = [*decision.refine.tolist(), *decision.expert.tolist(), *decision.stop]
    assert sorted(rows) == list(range(len(table)))


@ALL
@given(table=tables())
def test_nobody_is_sent_back_to_a_stage_they_come_from(policy, table):
    assert table.stage is Stage.COARSE or len(policy.decide(table).refine) == 0


@ALL
@given(table=tables())
def test_what_is_bought_fits_the_budget(policy, table):
    decision = policy.decide(table)
    spent_ms = len(decision.refine) * COST_MS[Stage.REFINE] + len(decision.expert) * COST_MS[Stage.EXPERT]

    assert spent_ms <= table.budget_ms


@ALL
@given(table=tables())
def test_the_same_frame_is_routed_the_same_way_again(policy, table):
    first, again = policy.decide(table), policy.decide(table)

    assert (first.refine.tolist(), first.expert.tolist(), first.stop) == (
        again.refine.tolist(), again.expert.tolist(), again.stop)


@ALL
def test_a_frame_without_people_is_no_trouble(policy):
    decision = policy.decide(table_of([]))

    assert (len(decision.refine), len(decision.expert), decision.stop) == (0, 0, {})


def test_the_default_comes_first_and_every_policy_has_its_own_name():
    made = policies(Calibration.read(neutral()))

    assert list(made) == ["gain", "sigma", "never", "always", "random"]
    assert all(policy.name == name for name, policy in made.items())


def test_never_and_always_are_the_corners():
    table = table_of([10.0, 200.0, 50.0])

    assert NeverPolicy().decide(table).stop == dict.fromkeys(range(3), Stop.CONFIDENT)
    assert sorted(AlwaysPolicy().decide(table).refine.tolist()) == [0, 1, 2]
    refined = table_of([10.0, 200.0, 50.0], stage=Stage.REFINE)
    assert sorted(AlwaysPolicy().decide(refined).expert.tolist()) == [0, 1, 2]
    assert AlwaysPolicy(Stage.REFINE).decide(refined).stop == dict.fromkeys(range(3), Stop.DEEPEST)


def test_always_spends_a_tight_budget_on_the_largest_expected_errors():
    decision = AlwaysPolicy().decide(table_of([10.0, 200.0, 50.0], budget_ms=2 * COST_MS[Stage.REFINE]))

    assert decision.refine.tolist() == [1, 2]
    assert decision.stop == {0: Stop.BUDGET}


def test_chance_sends_people_on_at_its_rates():
    table = table_of(np.linspace(5, 400, 3000))
    decision = RandomPolicy(refine_rate=0.3, expert_rate=0.1).decide(table)

    assert len(decision.refine) / 3000 == pytest.approx(0.3, abs=0.04)
    assert len(decision.expert) / 3000 == pytest.approx(0.1, abs=0.03)


def test_another_seed_is_another_chance():
    table = table_of(np.linspace(5, 400, 50))

    assert RandomPolicy(seed=1).decide(table).refine.tolist() != RandomPolicy(seed=2).decide(table).refine.tolist()
