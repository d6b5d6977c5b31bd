"""Facts about fitting: what was made into a table is found in it again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.calibration import Calibration, calibrated_score
from posecascade.models.lab.fitting.calibration import calibrated, fit, neutral
from posecascade.models.lab.fitting.operating_points import PRICES
from posecascade.models.lab.scoring.metrics import LAPLACE_COVERAGE, LAPLACE_MEAN
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

COST_MS = {Stage.COARSE: 20.0, Stage.REFINE: 4.0, Stage.EXPERT: 15.0}
PEOPLE = 3000
TRUE_SCALE = 1.7
"""Sigma is said too small by this factor, for every joint and stage."""


@pytest.fixture(scope="module")
def table() -> Recorded:
    """Errors are a 3D Laplace of `TRUE_SCALE` x sigma; refine leaves 60 %, expert 40 %, both in the mean 50 %;
    scores are half the true logit."""
    rng = np.random.default_rng(3)
    left = np.array([1.0, 0.6, 0.4, 0.5])
    sigma = rng.uniform(20, 60, (PEOPLE, 1, 1)) * left[:, None] * np.ones(25)
    errors = rng.gamma(3, TRUE_SCALE * sigma / np.sqrt(12))
    logit = rng.normal(0, 1, (PEOPLE, len(ROUTES)))
    right = rng.random((PEOPLE, len(ROUTES))) < 1 / (1 + np.exp(-2 * logit))
    features = rng.normal(size=(PEOPLE, 2, len(FEATURES)))
    features[:, :, 0] = np.log(sigma[:, :2, 0])
    ones = np.ones((PEOPLE, len(ROUTES)))
    return Recorded(
        folder=np.array(["made"] * PEOPLE),
        frame=np.array([f"{i // 3}.png" for i in range(PEOPLE)]),
        sequence=np.array([f"made/{i // 3}.png" for i in range(PEOPLE)]),
        difficulty=rng.random(PEOPLE),
        person=np.arange(PEOPLE),
        judged=np.ones(PEOPLE, bool),
        right=right,
        features=features,
        score=1 / (1 + np.exp(-logit)),
        joint_scores=ones[..., None] * np.ones(25),
        sigma_mm=sigma,
        root_sigma_mm=ones,
        errors_mm=errors,
        errors_2d=errors / 1000,
        root_errors_mm=ones,
        limb_error_mm=errors.mean(-1),
        error_2d=errors.mean(-1) / 1000,
        from_deepest_mm=np.abs(errors - errors[:, -1:]).mean(-1),
        cost_ms=ones,
    )


@pytest.fixture(scope="module")
def fitted(table: Recorded) -> Calibration:
    return Calibration.read(json.loads(json.dumps(fit(table, COST_MS, "made up"))))


@pytest.mark.parametrize("stage", Stage)
def test_sigma_is_scaled_to_the_size_of_the_errors(fitted, stage):
    assert fitted.sigma_scale[stage] == pytest.approx([TRUE_SCALE] * 25, rel=0.08)


def test_a_few_wild_errors_leave_the_share_within_sigma(table):
    rng = np.random.default_rng(4)
    wild = table.errors_mm * np.where(
        rng.random(table.errors_mm.shape) < 0.03, 20.0, 1.0
    )
    scale = Calibration.read(
        fit(replace(table, errors_mm=wild), COST_MS, "made up")
    ).sigma_scale[Stage.COARSE]

    assert (wild[:, 0] < table.sigma_mm[:, 0] * scale).mean() == pytest.approx(
        LAPLACE_COVERAGE, abs=0.01
    )


@pytest.mark.parametrize("stage", Stage)
def test_a_score_that_was_too_cautious_is_sharpened(fitted, stage):
    slope, bias = fitted.score[stage]

    assert slope == pytest.approx(2, abs=0.3)
    assert bias == pytest.approx(0, abs=0.2)


def test_a_calibrated_score_is_right_as_often_as_it_says(table, fitted):
    predicted = calibrated_score(table.score[:, 0], *fitted.score[Stage.COARSE])
    sure = predicted > 0.8

    assert table.right[sure, 0].mean() == pytest.approx(
        predicted[sure].mean(), abs=0.04
    )


def test_prices_are_promised_more_the_dearer_they_are(fitted):
    extra = [
        operating_point.extra_error_mm for operating_point in fitted.operating_points
    ]

    assert [
        operating_point.price for operating_point in fitted.operating_points
    ] == list(PRICES)
    assert extra[0] < extra[-1]
    assert fitted.balanced_price in PRICES
    assert fitted.guarantee is not None
    assert (
        0.3 * PEOPLE < fitted.guarantee.people < 0.5 * PEOPLE
    )  # one half of those with a score to be answered


def test_every_policy_is_fitted_and_gain_is_the_default(fitted):
    assert next(iter(fitted.policies)) == "gain"
    assert {
        "threshold",
        "idk",
        "skip",
        "skip_from_scratch",
        "actor",
        "pragmatic_critic",
        "optimistic_critic",
        "never",
        "always",
        "random",
        "alternate",
    } <= set(fitted.policies)


def test_a_calibrated_table_is_what_would_have_been_recorded(table):
    doubled = calibrated(
        table, dict.fromkeys(Stage, np.full(25, 2.0)), dict.fromkeys(Stage, (1.0, 0.0))
    )
    error, worst = (
        FEATURES.index(f"log_{name}") for name in ("expected_error", "worst_sigma")
    )

    np.testing.assert_allclose(doubled.sigma_mm, 2 * table.sigma_mm)
    np.testing.assert_allclose(
        doubled.features[:, 0, error],
        np.log(LAPLACE_MEAN * 2 * table.sigma_mm[:, 0].mean(1)),
    )
    np.testing.assert_allclose(
        doubled.features[:, 1, worst], np.log(2 * table.sigma_mm[:, 1].max(1))
    )
    np.testing.assert_allclose(doubled.score, table.score, atol=1e-6)


def test_a_neutral_calibration_can_be_read():
    assert Calibration.read(neutral()).operating_points == ()
