"""Facts about rules at the same time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.lab.evaluation.tradeoff.people import groups
from posecascade.models.lab.evaluation.tradeoff.points import Costs, played
from posecascade.models.lab.evaluation.tradeoff.rivals import (
    MIX,
    SHARES,
    at_time,
    rivals,
)
from posecascade.models.lab.fitting.gain import fit_gain
from posecascade.models.lab.fitting.operating_points import PRICES
from posecascade.models.lab.fitting.targets import cases
from posecascade.models.policies import RandomPolicy
from posecascade.models.records import Stage
from tests.models.lab.fitting.people import COST_MS, people

COST = np.array([0.0, 10.0, 20.0, 30.0])
COSTS = Costs(COST_MS, {Stage.COARSE: 3.0, Stage.REFINE: 1.0, Stage.EXPERT: 2.0})


@given(
    st.lists(
        st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=4
    ),
    st.floats(0, 30),
)
def test_the_time_that_is_given_is_what_is_spent(routes, spend):
    soft = at_time(
        {float(price): np.array(one) for price, one in enumerate(routes)}, COST, spend
    )

    assert (soft @ COST).mean() == pytest.approx(spend, abs=1e-6)
    assert soft.sum(1) == pytest.approx(np.ones(5))
    assert (soft >= 0).all()


def test_a_rule_that_sees_who_is_helped_is_ahead_of_chance_and_of_every_blind_mix():
    crowd = next(groups(people(400, seed=9)))
    rules = {"gain": fit_gain(cases([people(800)])), "random": RandomPolicy()}
    routes = {
        name: played(crowd.table, rule, COSTS, PRICES) for name, rule in rules.items()
    }
    found = rivals(
        crowd, routes | {"once": {1.0: np.zeros(400, np.intp)}}, COSTS, rounds=200
    )

    assert {(one.policy, one.share) for one in found} == {
        (name, share) for name in ("gain", "random", MIX) for share in SHARES
    }
    assert all(one.behind.value == 0 for one in found if one.policy == "gain")
    assert all(one.behind.low > 0 for one in found if one.policy != "gain")
