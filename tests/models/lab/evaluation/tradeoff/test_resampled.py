"""Facts about ratios and their intervals."""

import numpy as np
import pytest

from posecascade.models.lab.evaluation.tradeoff.resampled import Resampled


def test_a_ratio_is_of_sums_and_its_interval_holds_it():
    over = np.array([1.0, 2.0, 3.0, 6.0])
    under = np.array([1.0, 1.0, 2.0, 2.0])
    figure = Resampled.of(np.arange(4), 500).ratio(over, under)

    assert figure.value == pytest.approx(2.0)
    assert figure.low < 2.0 < figure.high


def test_people_of_one_unit_come_and_go_together():
    values = np.tile([0.0, 10.0], 50)
    alone = Resampled.of(np.arange(100), 500).ratio(values)
    in_pairs = Resampled.of(np.arange(100) // 2, 500).ratio(values)

    assert alone.high - alone.low > 1.0
    assert in_pairs.low == in_pairs.high == 5.0  # every pair has the same mean


def test_nobody_has_no_figure():
    assert np.isnan(Resampled.of(np.zeros(0, np.intp), 10).ratio(np.zeros(0)).value)
    assert np.isnan(
        Resampled.of(np.arange(3), 10).ratio(np.zeros(3), np.zeros(3)).value
    )
