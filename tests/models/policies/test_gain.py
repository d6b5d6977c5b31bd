"""Facts about the policy that buys gain."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.policies import GainPolicy
from posecascade.models.policies.budget import greedy_knapsack
from posecascade.models.records import Stage, Stop
from tests.models.policies.rows import COST_MS, GAINS, gain_of, table_of, tables

POLICY = GainPolicy(GAINS)
ERRORS = st.lists(st.floats(1, 400), min_size=1, max_size=30)


def gains_mm(table):
    """[S, P] of each deeper stage, never more than there is to remove."""
    steps = [step for step in GAINS if step[0] is table.stage]
    return np.stack(
        [
            np.minimum(GAINS[step].of(table.features), table.expected_error_mm)
            for step in steps
        ]
    )


@given(ERRORS)
def test_at_price_zero_all_who_gain_anything_are_sent(errors):
    table = table_of(errors, price=0)
    decision = POLICY.decide(table)
    sent = sorted([*decision.refine, *decision.expert])

    assert sent == np.flatnonzero(gains_mm(table).max(0) > 0).tolist()


@given(tables())
def test_a_tight_budget_is_kept_and_spent_on_those_who_gain(table):
    decision = POLICY.decide(table)
    costs = [[table.cost_ms[way[0]]] for stage, way in GAINS if stage is table.stage]
    net = gains_mm(table) - table.price * np.array(costs)
    spent = (
        len(decision.refine) * table.cost_ms[Stage.REFINE]
        + len(decision.expert) * table.cost_ms[Stage.EXPERT]
    )
    unaffordable = [row for row, why in decision.stop.items() if why is Stop.BUDGET]

    assert spent <= table.budget_ms + 1e-6
    assert all(
        net[:, row].max() > 0
        for row in [*decision.refine, *decision.expert, *unaffordable]
    )


NETS = st.lists(
    st.tuples(st.floats(-50, 200), st.floats(-50, 200)), min_size=1, max_size=6
)


@given(NETS, st.floats(0, 80))
def test_who_gets_no_look_for_want_of_money_could_not_pay_with_what_is_left(
    nets, budget_ms
):
    net = np.array(nets).T
    cost = np.array([7.0, 18.0])
    chosen = greedy_knapsack(net, cost, budget_ms)
    left = budget_ms - cost[chosen[chosen >= 0]].sum()

    assert left >= -1e-6
    for person in np.flatnonzero(chosen < 0):
        assert (cost[net[:, person] > 0] > left).all()


@given(NETS)
def test_without_a_bound_everybody_gets_the_look_of_the_largest_net_gain(nets):
    net = np.array(nets).T
    chosen = greedy_knapsack(net, np.array([7.0, 18.0]), np.inf)
    reached = np.where(chosen >= 0, net[chosen, np.arange(len(chosen))], 0)

    assert reached.tolist() == np.maximum(net.max(0), 0).tolist()


def test_two_cheap_looks_are_bought_before_one_dear_one():
    net = np.array([[30.0, 28.0], [40.0, 20.0]])

    assert greedy_knapsack(net, np.array([7.0, 18.0]), 20.0).tolist() == [0, 0]
    assert greedy_knapsack(net[:, :1], np.array([7.0, 18.0]), 20.0).tolist() == [1]
    assert greedy_knapsack(net, np.array([7.0, 18.0]), 25.0).tolist() == [1, 0]


@given(ERRORS, st.floats(0, 10), st.floats(0, 10))
def test_a_dearer_price_sends_nobody_new(errors, price, more):
    cheap, dear = (
        POLICY.decide(table_of(errors, price=p)) for p in (price, price + more)
    )

    assert set(cheap.stop) <= set(dear.stop)


@given(ERRORS, st.floats(0, 10))
def test_who_is_stopped_by_the_price_would_gain_less_than_it(errors, price):
    table = table_of(errors, price=price)
    stopped = [
        row
        for row, why in POLICY.decide(table).stop.items()
        if why is Stop.GAIN_BELOW_PRICE
    ]

    for gain, stage in zip(gains_mm(table), (Stage.REFINE, Stage.EXPERT), strict=True):
        assert (gain[stopped] <= price * COST_MS[stage]).all()


def test_nobody_gains_more_than_they_are_wrong_by():
    boundless = GainPolicy({(Stage.COARSE, (Stage.REFINE,)): gain_of(0, 1000)})
    decision = boundless.decide(
        table_of([30.0, 50.0], price=40 / COST_MS[Stage.REFINE])
    )

    assert decision.refine.tolist() == [1]


def test_after_the_deepest_stage_there_is_nothing_to_buy():
    assert POLICY.decide(table_of([100.0], stage=Stage.EXPERT)).stop == {
        0: Stop.DEEPEST
    }
