"""Facts about operating points, on made-up people of whom everything is known."""

import numpy as np
import pytest

from posecascade.models.lab.evaluation.tradeoff.goals import (
    against_deepest,
    against_refine,
    at_cost,
)
from posecascade.models.lab.evaluation.tradeoff.people import People, groups
from posecascade.models.lab.evaluation.tradeoff.points import (
    Costs,
    curve,
    fixed,
    played,
    point,
)
from posecascade.models.lab.evaluation.tradeoff.resampled import Resampled
from posecascade.models.lab.fitting.gain import fit_gain
from posecascade.models.lab.fitting.simulate import oracle
from posecascade.models.lab.fitting.targets import cases
from posecascade.models.lab.scoring.recorded import ROUTES
from posecascade.models.policies import AlwaysPolicy, GainPolicy, NeverPolicy
from posecascade.models.records import Stage
from tests.models.lab.fitting.people import COST_MS, people

COSTS = Costs(COST_MS, {Stage.COARSE: 3.0, Stage.REFINE: 1.0, Stage.EXPERT: 2.0})
ROUNDS = 200


@pytest.fixture(scope="module")
def crowd() -> People:
    return next(groups(people(400, seed=9)))


@pytest.fixture(scope="module")
def gain() -> GainPolicy:
    return fit_gain(cases([people(800)]))


def test_everybody_along_a_route_costs_and_leaves_what_the_route_does(crowd):
    found = fixed(crowd, COSTS, rounds=ROUNDS)

    assert [one.deep_ms.value for one in found] == [0, 10, 20, 30]
    assert [one.deep_gmacs.value for one in found] == [0, 1, 2, 3]
    assert [one.error.value for one in found] == pytest.approx(crowd.error.mean(0))
    assert found[0].kept.value == 0
    assert found[-1].kept.value == pytest.approx(100)
    assert all(
        np.isnan(one.efficacy.value) for one in found
    )  # there was nothing to choose


def test_efficacy_is_one_for_the_oracle_and_none_for_chance(crowd):
    draw = Resampled.of(crowd.unit, ROUNDS)
    best = point(crowd, oracle(crowd.error, COST_MS, 1.0), COSTS, draw, "oracle", 1.0)
    blind = [
        point(
            crowd,
            np.random.default_rng(seed).permutation(oracle(crowd.error, COST_MS, 1.0)),
            COSTS,
            draw,
            "chance",
            1.0,
        ).efficacy.value
        for seed in range(20)
    ]

    assert best.efficacy.value == pytest.approx(1.0, abs=0.01)
    assert np.mean(blind) == pytest.approx(0.0, abs=0.05)


def test_a_learned_rule_beats_chance_and_turns_and_lies_between_them_and_the_oracle(
    crowd, gain
):
    routes = played(crowd.table, gain, COSTS, [1.0])[1.0]
    found = point(crowd, routes, COSTS, Resampled.of(crowd.unit, ROUNDS), "gain", 1.0)

    assert found.beats_chance.low > 0
    assert found.beats_turns.low > 0
    assert (
        found.oracle.value
        <= found.error.value
        < min(found.chance.value, found.turns.value)
    )
    assert sum(found.answered_by) == pytest.approx(1)


def test_a_rule_that_looks_at_nobody_is_not_said_to_beat_chance(crowd):
    rng = np.random.default_rng(2)
    found = point(
        crowd,
        rng.integers(0, len(ROUTES), len(crowd)),
        COSTS,
        Resampled.of(crowd.unit, ROUNDS),
        "coin",
        1.0,
    )

    assert found.beats_chance.low <= 0 <= found.beats_chance.high


def test_gain_kept_is_not_told_where_the_deepest_removes_nothing(crowd):
    flat = People(
        **{name: getattr(crowd, name) for name in People.__slots__}
        | {"error": np.full((400, 4), 90.0)}
    )

    assert np.isnan(fixed(flat, COSTS, rounds=ROUNDS)[1].kept.value)


def test_a_curve_grows_cheaper_with_the_price(crowd, gain):
    routes = played(crowd.table, gain, COSTS, [4.0, 0.1, 1.0])
    ms = curve(crowd, "gain", routes, COSTS).deep_ms

    assert list(routes) == [0.1, 1.0, 4.0]
    assert list(ms) == sorted(ms, reverse=True)


@pytest.mark.parametrize("bound_ms", [3.0, 12.0, 25.0])
def test_a_rule_is_played_at_no_more_than_the_time_it_is_given(crowd, gain, bound_ms):
    price, routes = at_cost(crowd, gain, COSTS, bound_ms)

    assert COSTS.route_ms[routes].mean() <= bound_ms
    assert 1e-3 <= price <= 1e3


def test_nobody_sent_is_within_every_bound(crowd):
    assert at_cost(crowd, NeverPolicy(), COSTS, 5.0)[0] == 1e-3


def test_a_rule_that_cannot_be_cheap_is_played_at_the_dearest_price(crowd):
    price, routes = at_cost(crowd, AlwaysPolicy(), COSTS, 5.0)

    assert price == 1e3
    assert set(routes) == {3}


def test_at_equal_time_the_learned_rule_leaves_less_than_refining_everybody(
    crowd, gain
):
    refine, deepest = (
        against(crowd, gain, COSTS, rounds=ROUNDS)
        for against in (against_refine, against_deepest)
    )

    assert (refine.opponent, deepest.opponent) == ("refine", "refine, expert")
    assert refine.error.high < 0
    assert refine.deep_ms <= 10.0
    assert deepest.deep_ms <= 12.0
