"""Facts about the routing table and the budget."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.policies.table import FEATURES, within_budget
from tests.models.policies.rows import table_of


@given(
    arrays(np.float64, st.integers(0, 40), elements=st.integers(-5, 30)),
    st.integers(0, 60),
)
def test_the_budget_goes_to_the_largest_gains(gain_mm, budget_ms):
    picked = within_budget(gain_mm, np.full(len(gain_mm), 3.0), budget_ms)
    left = np.delete(gain_mm, picked)

    assert len(picked) == min(budget_ms // 3, (gain_mm > 0).sum())
    assert len(picked) == 0 or gain_mm[picked].min() >= left.max(initial=0)


def test_without_a_budget_everybody_who_gains_is_picked():
    assert within_budget(
        np.array([1.0, -1.0, 3.0, 0.0]), np.ones(4), np.inf
    ).tolist() == [2, 0]


def test_features_are_one_row_a_person_in_the_stated_order():
    features = table_of([10.0, 100.0, 30.0]).features

    assert features.shape == (3, len(FEATURES))
    np.testing.assert_allclose(
        features[:, FEATURES.index("log_expected_error")], np.log([10, 100, 30])
    )
    np.testing.assert_allclose(
        features[:, FEATURES.index("log_worst_sigma")], np.log([15, 150, 45])
    )
