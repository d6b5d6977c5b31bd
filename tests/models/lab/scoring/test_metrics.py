import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.stats import gamma

from posecascade.models.lab.scoring.metrics import (
    AUC_MM,
    LAPLACE_COVERAGE,
    auc,
    coverage,
    mpjpe,
    pa_mpjpe,
    pck,
    procrustes,
    sigma_ratio,
    sparsification,
)

BODY = np.random.default_rng(3).normal(0, 300, (12, 3))


@given(st.integers(0, 10_000), st.floats(0.3, 3))
def test_turning_scaling_and_moving_a_body_leaves_no_aligned_error(
    seed: int, scale: float
) -> None:
    turn = Rotation.random(rng=seed).as_matrix()

    assert pa_mpjpe(
        scale * BODY @ turn + np.array([10, -500, 4000]), BODY
    ) == pytest.approx(0, abs=1e-6)


def test_a_mirrored_body_cannot_be_aligned() -> None:
    assert pa_mpjpe(BODY * [-1, 1, 1], BODY) > 50


def test_the_alignment_is_the_best_one() -> None:
    noisy = BODY + np.random.default_rng(4).normal(0, 40, BODY.shape)
    best = ((procrustes(noisy, BODY) - BODY) ** 2).sum()
    for axis in np.eye(3):
        nudged = procrustes(noisy, BODY) @ Rotation.from_rotvec(0.01 * axis).as_matrix()
        assert ((nudged - BODY) ** 2).sum() > best


def test_mpjpe_of_a_shift_is_its_length() -> None:
    assert mpjpe(BODY + np.array([30, 40, 0]), BODY) == pytest.approx(50)


def test_missed_joints_are_wrong_at_every_threshold() -> None:
    errors = np.array([10, np.inf, np.nan, 149.9, 150.0])

    assert pck(errors, 150) == pytest.approx(2 / 5)
    assert auc(errors[1:3]) == 0


def test_the_area_under_the_curve_falls_by_a_step_every_five_millimetres() -> None:
    assert (AUC_MM[0], AUC_MM[-1], len(AUC_MM)) == (0, 150, 31)
    assert auc(np.array([0.0])) == pytest.approx(30 / 31)
    assert auc(np.array([7.0])) == pytest.approx(29 / 31)


def test_laplace_errors_are_covered_as_often_as_stated() -> None:
    sigma = np.sqrt(12.0)
    assert pytest.approx(gamma.cdf(sigma, 3), abs=1e-3) == LAPLACE_COVERAGE

    errors = gamma.rvs(3, size=20_000, random_state=1)

    assert coverage(errors, np.full(20_000, sigma)) == pytest.approx(
        LAPLACE_COVERAGE, abs=0.01
    )
    assert sigma_ratio(errors, np.full(20_000, sigma)) == pytest.approx(1, abs=0.02)


def test_a_sigma_that_ranks_perfectly_leaves_no_area_and_a_constant_one_leaves_all() -> (
    None
):
    errors = np.random.default_rng(5).gamma(3, 20, 5000)

    assert sparsification(errors, 2 * errors).ause == pytest.approx(0)
    blind = sparsification(errors, np.random.default_rng(6).random(5000))
    assert blind.ause == pytest.approx(blind.ause_of_no_knowledge, abs=0.03)


def test_overconfidence_shows_as_a_ratio_above_one() -> None:
    assert sigma_ratio(np.full(10, 60.0), np.full(10, 30.0)) == pytest.approx(2)
