"""Facts about the calibration as it is applied."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.calibration import (
    Calibration,
    OperatingPoint,
    calibrated_score,
    dearest,
)
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.refresh import INPUTS, DeviationModel

PROBABILITIES = arrays(np.float64, st.integers(0, 20), elements=st.floats(0, 1))
LADDERS = st.lists(st.floats(0, 30), max_size=8).map(
    lambda extras: [
        OperatingPoint(float(price + 1), extra) for price, extra in enumerate(extras)
    ]
)


@given(PROBABILITIES)
def test_slope_one_and_no_bias_leave_a_score_as_it_was(score):
    np.testing.assert_allclose(calibrated_score(score, 1.0, 0.0), score, atol=2e-6)


@given(PROBABILITIES, st.floats(0.1, 5), st.floats(-5, 5))
def test_calibrated_scores_keep_their_order_and_stay_probabilities(score, slope, bias):
    result = calibrated_score(np.sort(score), slope, bias)

    assert (np.diff(result) >= -1e-12).all()
    assert ((result >= 0) & (result <= 1)).all()


@pytest.mark.parametrize("slope", [1e3, 1e6])
def test_even_a_very_steep_slope_gives_probabilities(slope):
    assert calibrated_score(np.array([0.0, 0.4, 1.0]), slope, 0.0) == pytest.approx(
        [0, 0, 1]
    )


@given(LADDERS, st.floats(0.01, 30))
def test_every_operating_point_up_to_the_chosen_price_keeps_the_promise(
    operating_points, bound_mm
):
    price = dearest(operating_points, bound_mm)
    tested = [
        operating_point.extra_error_mm
        for operating_point in operating_points
        if operating_point.price <= price
    ]
    following = [
        operating_point.extra_error_mm
        for operating_point in operating_points
        if operating_point.price > price
    ]

    assert all(extra <= bound_mm for extra in tested)
    assert not following or following[0] > bound_mm


def test_a_promise_that_no_price_keeps_comes_to_price_zero():
    assert dearest([OperatingPoint(1.0, 3.0)], 2.9) == 0.0
    assert dearest([], 100.0) == 0.0


def test_the_neutral_calibration_is_read_and_changes_nothing():
    calibration = Calibration.read(neutral())

    assert set(calibration.sigma_scale) == set(calibration.score) == set(Stage)
    assert all(set(row) == {1.0} for row in calibration.sigma_scale.values())


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="sigma_scale: want 25 factors"):
        Calibration.read(neutral() | {"sigma_scale": {"coarse": [1.0] * 17}})


def test_the_regressor_of_reuse_may_be_there_or_not():
    fitted = DeviationModel(tuple(1.0 for _ in INPUTS), 2.0, 20.0)

    assert Calibration.read(neutral()).reuse is None
    assert Calibration.read(neutral() | {"reuse": fitted.as_json()}).reuse == fitted
