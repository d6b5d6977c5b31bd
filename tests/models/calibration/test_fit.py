"""Facts about fitting: what was made into a table is found in it again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.calibration.fit import DEPTH_GAIN_MM, PRICES, fit, neutral, routes_at
from models.calibration.tables import Calibration, calibrated_score
from models.evaluation.metrics import LAPLACE_COVERAGE
from models.evaluation.recorded import ROUTES, Recorded
from models.records import Stage
from models.routers.table import FEATURES

COST_MS = {Stage.COARSE: 20.0, Stage.REFINE: 4.0, Stage.EXPERT: 15.0}
PEOPLE, TRUE_SCALE = 3000, 1.7
"""Sigma is said too small by this factor, for every joint and stage."""


@pytest.fixture(scope="module")
def table() -> Recorded:
    """Errors are a 3D Laplace of `TRUE_SCALE` x sigma; refine leaves 60 %, expert 40 %, scores half the true logit."""
    rng = np.random.default_rng(3)
    left = np.array([1.0, 0.6, 0.4, 0.4])
    sigma = rng.uniform(20, 60, (PEOPLE, 1, 1)) * left[:, None] * np.ones(25)
    errors = rng.gamma(3, TRUE_SCALE * sigma / np.sqrt(12))
    logit = rng.normal(0, 1, (PEOPLE, len(ROUTES)))
    right = rng.random((PEOPLE, len(ROUTES))) < 1 / (1 + np.exp(-2 * logit))
    features = rng.normal(size=(PEOPLE, 2, len(FEATURES)))
    features[:, :, 0] = np.log(sigma[:, :2, 0])
    ones = np.ones((PEOPLE, len(ROUTES)))
    return Recorded(
        folder=np.array(["made"] * PEOPLE), frame=np.array([f"{i // 3}.png" for i in range(PEOPLE)]),
        sequence=np.array([f"made/{i // 3}.png" for i in range(PEOPLE)]), difficulty=rng.random(PEOPLE),
        person=np.arange(PEOPLE), judged=np.ones(PEOPLE, bool), right=right, features=features,
        score=1 / (1 + np.exp(-logit)), joint_scores=ones[..., None] * np.ones(25), sigma_mm=sigma, root_sigma_mm=ones,
        errors_mm=errors, errors_2d=errors / 1000, root_errors_mm=ones, limb_error_mm=errors.mean(-1),
        error_2d=errors.mean(-1) / 1000, from_deepest_mm=errors.mean(-1), cost_ms=ones)


@pytest.fixture(scope="module")
def fitted(table: Recorded) -> Calibration:
    return Calibration.read(json.loads(json.dumps(fit(table, COST_MS, "made up"))))


@pytest.mark.parametrize("stage", Stage)
def test_sigma_is_scaled_to_the_size_of_the_errors(fitted, stage):
    assert fitted.sigma_scale[stage] == pytest.approx([TRUE_SCALE] * 25, rel=0.08)


def test_a_few_wild_errors_leave_the_share_within_sigma(table):
    rng = np.random.default_rng(4)
    wild = table.errors_mm * np.where(rng.random(table.errors_mm.shape) < 0.03, 20.0, 1.0)
    scale = Calibration.read(fit(replace(table, errors_mm=wild), COST_MS, "made up")).sigma_scale[Stage.COARSE]

    assert (wild[:, 0] < table.sigma_mm[:, 0] * scale).mean() == pytest.approx(LAPLACE_COVERAGE, abs=0.01)


@pytest.mark.parametrize("stage", Stage)
def test_a_score_that_was_too_cautious_is_sharpened(fitted, stage):
    slope, bias = fitted.score[stage]

    assert slope == pytest.approx(2, abs=0.3)
    assert bias == pytest.approx(0, abs=0.2)


def test_a_calibrated_score_is_right_as_often_as_it_says(table, fitted):
    said = calibrated_score(table.score[:, 0], *fitted.score[Stage.COARSE])
    sure = said > 0.8

    assert table.right[sure, 0].mean() == pytest.approx(said[sure].mean(), abs=0.04)


def test_the_expected_gain_is_the_mean_gain_and_after_coarse_what_rendered_people_hide(table, fitted):
    error = table.limb_error_mm
    first = fitted.gains[Stage.COARSE, Stage.REFINE].expected_mm(table.features[:, 0])
    second = fitted.gains[Stage.REFINE, Stage.EXPERT].expected_mm(table.features[:, 1])

    assert first.mean() - DEPTH_GAIN_MM == pytest.approx((error[:, 0] - error[:, 1]).mean(), rel=0.02)
    assert second.mean() == pytest.approx((error[:, 1] - error[:, 3]).mean(), rel=0.02)
    assert np.corrcoef(first, table.sigma_mm[:, 0, 0])[0, 1] > 0.9


def test_a_dearer_price_is_promised_less(fitted):
    extra = [promise.extra_error_mm for promise in fitted.promises]

    assert [promise.price for promise in fitted.promises] == list(PRICES)
    assert extra == sorted(extra)
    assert fitted.balanced_price in PRICES


def test_a_price_beyond_all_gain_sends_nobody_and_none_sends_all(table, fitted):
    assert set(routes_at(table, fitted.gains, COST_MS, 1e6)) == {0}
    assert 0 not in routes_at(table, fitted.gains, COST_MS, 0.0)


def test_a_neutral_calibration_can_be_read():
    assert Calibration.read(neutral()).promises == ()
