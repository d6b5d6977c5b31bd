"""Facts about what chance and an oracle get for the same time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.lab.evaluation.tradeoff.equal_cost import (
    best_mix,
    by_chance,
    in_turn,
    knowing_all,
)

COST = np.array([0.0, 10.0, 20.0, 30.0])
ERRORS = arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(4)), elements=st.floats(0, 300)
)


def spent(routes: np.ndarray) -> float:
    return float(COST[routes].mean())


@given(ERRORS, st.integers(0, 2**32 - 1))
def test_chance_is_the_mean_of_every_shuffle(error, seed):
    rng = np.random.default_rng(seed)
    routes = rng.integers(0, 4, len(error))
    turned = [
        error[np.arange(len(error)), np.roll(routes, shift)].mean()
        for shift in range(len(error))
    ]

    assert by_chance(error, routes).mean() == pytest.approx(np.mean(turned), abs=1e-9)


@given(ERRORS, st.integers(0, 2**32 - 1))
def test_nothing_that_looks_at_nobody_beats_the_oracle_at_the_same_cost(error, seed):
    routes = np.random.default_rng(seed).integers(0, 4, len(error))
    oracle = knowing_all(error, COST, spent(routes)).mean()

    assert oracle <= error[np.arange(len(error)), routes].mean() + 1e-6
    assert oracle <= best_mix(error, COST, spent(routes)).mean() + 1e-6
    assert (
        best_mix(error, COST, spent(routes)).mean()
        <= by_chance(error, routes).mean() + 1e-6
    )


@given(ERRORS)
def test_turns_deal_out_as_many_of_each_route(error):
    same = np.ones_like(error) * [1.0, 2.0, 3.0, 4.0]
    routes = np.arange(len(error)) % 4

    assert in_turn(same, routes).mean() == pytest.approx((routes + 1).mean())


def test_an_oracle_with_no_time_sends_nobody_and_with_all_of_it_takes_the_best():
    error = np.array([[100.0, 50.0, 80.0, 60.0], [100.0, 120.0, 90.0, 40.0]])

    assert knowing_all(error, COST, 0.0) == pytest.approx([100, 100])
    assert knowing_all(error, COST, 30.0) == pytest.approx([50, 40])
    assert knowing_all(error, COST, 5.0) == pytest.approx(
        [50, 100]
    )  # the first gains more a millisecond


def test_the_best_mix_is_a_coin_between_two_routes_and_leaves_out_a_poor_one():
    error = np.array([[100.0, 90.0, 95.0, 60.0]])

    assert best_mix(error, COST, 20.0) == pytest.approx([100 - 40 * 2 / 3])
    assert best_mix(error, COST, 0.0) == pytest.approx([100])
    assert best_mix(error, COST, 99.0) == pytest.approx([60])
