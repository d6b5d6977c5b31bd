import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.lab.evaluation.frontier import frontier


def test_who_costs_more_and_gives_less_is_off_the_frontier() -> None:
    cost_ms = np.array([60.0, 20, 30, 40, 60])
    pck = np.array([80.0, 50, 45, 70, 75])

    assert frontier(cost_ms, pck).tolist() == [1, 3, 0]


def test_of_two_that_cost_alike_the_better_stands_and_of_two_alike_the_cheaper() -> (
    None
):
    assert frontier(np.array([10.0, 10]), np.array([50.0, 60])).tolist() == [1]
    assert frontier(np.array([20.0, 10]), np.array([50.0, 50])).tolist() == [1]


def test_equals_are_all_on_it_and_the_unknown_are_not() -> None:
    assert frontier(np.array([10.0, 10, 5]), np.array([50.0, 50, np.nan])).tolist() == [
        0,
        1,
    ]
    assert frontier(np.empty(0), np.empty(0)).tolist() == []


@given(arrays(float, (12, 2), elements=st.integers(0, 6)))
def test_the_frontier_is_the_best_to_be_had_at_every_cost(systems: np.ndarray) -> None:
    cost, gain = systems.T
    best = frontier(cost, gain)

    for budget in np.unique(cost):
        affordable = best[cost[best] <= budget]
        assert gain[affordable].max() == gain[cost <= budget].max()
    assert (np.diff(cost[best]) >= 0).all()
    assert (np.diff(gain[best]) >= 0).all()
