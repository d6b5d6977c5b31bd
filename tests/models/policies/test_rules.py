"""Facts about the rules that are more than a regression: thresholds, chains, gates, prices."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.policies import (
    GainPolicy,
    IdkPolicy,
    PricedPolicy,
    SkipPolicy,
    ThresholdPolicy,
)
from posecascade.models.policies import (
    serialized as fitted,
)
from posecascade.models.policies.idk import Chain
from posecascade.models.policies.price_conditioned import INPUTS, with_price
from posecascade.models.policies.serialized import read_policies
from posecascade.models.policies.skipnet import Gates
from posecascade.models.policies.table import FEATURES, RoutingTable
from posecascade.models.records import Stage, Stop
from tests.models.policies.rows import COST_MS, GAINS, gain_of, table_of
from tests.models.policies.test_policies import ADVANTAGES, GATES

SHARES = {Stage.COARSE: 0.2, Stage.REFINE: 0.1}


@given(st.lists(st.floats(1, 400), max_size=30), st.floats(0, 10))
def test_one_stage_further_exactly_above_the_threshold(errors, price):
    decision = ThresholdPolicy(SHARES).decide(table_of(errors, price=price))
    tau_mm = price * COST_MS[Stage.REFINE]

    assert sorted(decision.refine) == [
        row for row, error in enumerate(errors) if 0.2 * error - tau_mm > 0
    ]
    assert len(decision.expert) == 0


@pytest.mark.parametrize(
    "policy", [ThresholdPolicy(SHARES), IdkPolicy((Chain(1.0, 0.0, 100.0),))]
)
def test_after_refine_the_next_is_expert_and_then_there_is_none(policy):
    assert policy.decide(table_of([300.0], stage=Stage.REFINE)).expert.tolist() == [0]
    assert policy.decide(table_of([300.0], stage=Stage.EXPERT)).stop == {
        0: Stop.DEEPEST
    }


def test_a_chain_is_taken_by_the_nearest_price():
    policy = IdkPolicy((Chain(0.1, 50.0, 0.0), Chain(10.0, 150.0, 0.0)))

    assert policy.decide(table_of([100.0], price=0.3)).refine.tolist() == [0]
    assert policy.decide(table_of([100.0], price=3.0)).refine.tolist() == []
    assert policy.decide(table_of([100.0], price=0.0)).refine.tolist() == [0]


def test_a_gate_that_stays_shut_passes_the_middle_stage_over():
    shut = gain_of(0, -1)
    opened = gain_of(0, 1)
    policy = SkipPolicy(
        (Gates(1.0, refine=shut, expert=opened, expert_after_refine=opened),)
    )
    both = SkipPolicy(
        (Gates(1.0, refine=opened, expert=opened, expert_after_refine=opened),)
    )

    assert policy.decide(table_of([50.0, 60.0])).expert.tolist() == [0, 1]
    assert both.decide(table_of([50.0, 60.0])).refine.tolist() == [0, 1]
    assert both.decide(table_of([50.0], stage=Stage.REFINE)).expert.tolist() == [0]


def test_the_price_is_an_input():
    policy = PricedPolicy(ADVANTAGES, "actor")
    cheap, dear = (
        policy.decide(table_of([60.0], price=price)) for price in (0.1, 20.0)
    )

    assert len(cheap.expert) == 1
    assert cheap.stop == {}
    assert dear.stop == {0: Stop.GAIN_BELOW_PRICE}
    assert with_price(table_of([60.0, 80.0]).features, 2.0).shape == (2, INPUTS)


def test_refine_is_bought_for_what_expert_may_remove_after_it():
    alone = GAINS | {
        (Stage.COARSE, (Stage.EXPERT,)): gain_of(0, 0),
        (Stage.COARSE, (Stage.REFINE,)): gain_of(0, 1),
    }
    followed = alone | {(Stage.COARSE, (Stage.REFINE, Stage.EXPERT)): gain_of(0, 60)}
    table = table_of([200.0], price=1.0)

    assert GainPolicy(alone).decide(table).refine.tolist() == []
    assert GainPolicy(followed).decide(table).refine.tolist() == [0]


def test_the_sure_stop_as_confident_and_the_hopeless_because_nothing_would_be_gained():
    sure = ThresholdPolicy(SHARES).decide(table_of([3.0], price=1.0))
    hopeless = GainPolicy({(Stage.COARSE, (Stage.REFINE,)): gain_of(0, 1)}).decide(
        table_of([300.0], price=1.0)
    )

    assert sure.stop == {0: Stop.CONFIDENT}
    assert hopeless.stop == {0: Stop.GAIN_BELOW_PRICE}


def test_policies_survive_json():
    result = {
        "features": list(FEATURES),
        "fitted": {
            "gain": fitted.gain_as_json(GainPolicy(GAINS)),
            "threshold": fitted.threshold_as_json(ThresholdPolicy(SHARES)),
            "idk": fitted.idk_as_json(IdkPolicy((Chain(0.1, 20.0, 60.0),))),
            "skip": fitted.skip_as_json(SkipPolicy(GATES)),
            "actor": fitted.priced_as_json(PricedPolicy(ADVANTAGES, "actor")),
        },
    }
    made = read_policies(json.loads(json.dumps(result)))

    assert list(made) == [
        "gain",
        "threshold",
        "idk",
        "skip",
        "actor",
        "never",
        "always",
        "random",
        "alternate",
    ]
    assert all(policy.name == name for name, policy in made.items())
    assert made["gain"] == GainPolicy(GAINS)
    assert made["skip"] == SkipPolicy(GATES)
    assert made["actor"] == PricedPolicy(ADVANTAGES, "actor")


def test_policies_of_other_features_are_refused_by_name():
    with pytest.raises(
        ValueError,
        match="fitted on the features size, this program has log_expected_error",
    ):
        read_policies({"features": ["size"], "fitted": {}})


def test_too_few_weights_are_refused():
    short = {"after": "coarse", "way": ["refine"], "weights": [1.0], "bias": 0.0}
    with pytest.raises(
        ValueError, match=f"want {len(FEATURES)} finite weights and a bias, got 1"
    ):
        read_policies({"features": list(FEATURES), "fitted": {"gain": [short]}})


def test_a_table_is_made_again_from_its_features():
    table = table_of([20.0, 90.0, 200.0])
    again = RoutingTable.from_features(
        table.stage,
        table.features,
        cost_ms=COST_MS,
        price=1.0,
        budget_ms=np.inf,
        person_index=table.person_index,
    )

    np.testing.assert_allclose(again.features, table.features)
