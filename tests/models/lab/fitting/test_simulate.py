"""Facts about playing policies over recorded tables."""

import numpy as np
import pytest

from posecascade.models.lab.fitting.simulate import deep_cost_ms, oracle, play
from posecascade.models.lab.scoring.recorded import ROUTES
from posecascade.models.policies import AlwaysPolicy, NeverPolicy, ThresholdPolicy
from posecascade.models.records import Stage
from tests.models.lab.fitting.people import COST_MS, people

TABLE = people(60)


def test_the_corners_take_the_first_and_the_last_route():
    assert set(play(TABLE, NeverPolicy(), COST_MS, 1.0)) == {0}
    assert set(play(TABLE, AlwaysPolicy(), COST_MS, 1.0)) == {len(ROUTES) - 1}


def test_a_budget_holds_for_each_frame_and_for_both_rounds_together():
    routes = play(TABLE, AlwaysPolicy(), COST_MS, 1.0, budget_ms=35.0)
    spent = [
        deep_cost_ms(routes[TABLE.frame == frame], COST_MS).sum()
        for frame in np.unique(TABLE.frame)
    ]

    assert max(spent) <= 35.0
    assert max(spent) == 20.0  # both to refine; what is left does not reach for expert


def test_routes_are_those_that_the_rule_says_of_the_recorded_features():
    routes = play(
        TABLE, ThresholdPolicy({Stage.COARSE: 0.1, Stage.REFINE: 1e-9}), COST_MS, 1.0
    )
    error = np.exp(TABLE.features[:, 0, 0])

    assert (routes == 1).tolist() == (0.1 * error > 10.0).tolist()


def test_who_was_lost_to_refine_is_not_sent_further():
    features = TABLE.features.copy()
    features[::2, 1] = np.nan
    routes = play(TABLE.of(np.arange(60)), AlwaysPolicy(), COST_MS, 0.0)
    lost = play(
        type(TABLE)(
            **{name: getattr(TABLE, name) for name in TABLE.__slots__}
            | {"features": features}
        ),
        AlwaysPolicy(),
        COST_MS,
        0.0,
    )

    assert set(routes) == {3}
    assert set(lost[::2]) == {1}
    assert set(lost[1::2]) == {3}


@pytest.mark.parametrize(("price", "route"), [(0.0, 3), (1.0, 1), (100.0, 0)])
def test_the_oracle_weighs_what_is_left_against_the_price(price, route):
    error = np.array([[120.0, 90.0, 85.0, 80.0]])

    assert oracle(error, COST_MS, price).tolist() == [route]


def test_equal_names_of_pictures_in_two_folders_are_two_frames():
    twice = type(TABLE).joined(
        [
            TABLE,
            type(TABLE)(
                **{name: getattr(TABLE, name) for name in TABLE.__slots__}
                | {"folder": np.array(["other"] * 60)}
            ),
        ]
    )
    routes = play(twice, AlwaysPolicy(), COST_MS, 1.0, budget_ms=35.0)

    assert (
        routes[:60].tolist()
        == routes[60:].tolist()
        == play(TABLE, AlwaysPolicy(), COST_MS, 1.0, 35.0).tolist()
    )
