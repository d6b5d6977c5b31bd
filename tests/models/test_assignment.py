"""Facts about the optimal assignment."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from posecascade.models.assignment import assigned, matched

COSTS = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=5).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-4, 9))
)


def brute_force(cost):
    tall = cost if cost.shape[0] <= cost.shape[1] else cost.T
    return min(
        sum(tall[row, column] for row, column in enumerate(columns))
        for columns in permutations(range(tall.shape[1]), tall.shape[0])
    )


@given(COSTS)
def test_the_total_is_that_of_trying_everything(cost):
    rows, columns = assigned(cost)

    assert cost[rows, columns].sum() == pytest.approx(brute_force(cost))


@given(COSTS)
def test_each_row_and_column_is_used_at_most_once_and_rows_ascend(cost):
    rows, columns = assigned(cost)

    assert len(rows) == len(columns) == min(cost.shape)
    assert (np.diff(rows) > 0).all()
    assert len(set(columns)) == len(columns)


@given(COSTS, st.integers(-2, 6))
def test_staying_apart_at_the_limit_is_weighed_exactly(cost, limit):
    rows, columns = matched(cost, limit)
    total = cost[rows, columns].sum() + limit * (min(cost.shape) - len(rows))

    assert (cost[rows, columns] < limit).all()
    assert total == pytest.approx(brute_force(np.minimum(cost, limit)))


def test_agrees_with_scipy_on_forty_by_thirty():
    optimize = pytest.importorskip("scipy.optimize")
    cost = np.random.default_rng(0).normal(size=(40, 30))

    rows, columns = assigned(cost)

    assert cost[rows, columns].sum() == pytest.approx(
        cost[optimize.linear_sum_assignment(cost)].sum()
    )


def test_nan_and_infinity_forbid_a_pair():
    rows, columns = matched(np.array([[np.nan, np.inf], [1.0, np.nan]]), limit=5)

    assert (rows.tolist(), columns.tolist()) == ([1], [0])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_is_assigned_to_nobody(shape):
    assert [len(side) for side in matched(np.zeros(shape), limit=1)] == [0, 0]


def test_an_infinite_cost_is_refused_where_everyone_must_be_paired():
    with pytest.raises(
        ValueError, match=r"finite cost \[R, C\], got shape \(1, 1\) with 1 not finite"
    ):
        assigned(np.array([[np.inf]]))
