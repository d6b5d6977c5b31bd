"""Facts about the refresh rules that the product's is compared with."""

import numpy as np
import pytest

from posecascade.models.lab.scoring.refresh_rules import (
    AdaptiveClock,
    FixedAlternation,
    RandomRefresh,
)
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.refresh import RefreshCandidates
from tests.models.tracking.reuse.bodies import (
    LEFT,
    REFINED,
    TWO_PEOPLE,
    detections,
    run_frame_at,
)


def refreshes(memory, frames):
    """[F, P] who was refreshed in each frame of two people at rest."""
    return np.array(
        [
            run_frame_at(memory, 0.04 * number, TWO_PEOPLE, REFINED).needs_refresh
            for number in range(frames)
        ]
    )


def test_fixed_alternation_refreshes_every_nth_frame():
    refreshed = refreshes(Memory(rule=FixedAlternation(4)), 9).all(1)

    assert refreshed.tolist() == [True, False, False, False] * 2 + [True]


def random_memory():
    return Memory(rule=RandomRefresh(0.3, np.random.default_rng(4)))


def test_random_refreshes_have_their_rate_and_repeat_with_their_seed():
    refreshed = refreshes(random_memory(), 300)

    assert refreshed.mean() == pytest.approx(0.3, abs=0.05)
    np.testing.assert_array_equal(refreshed, refreshes(random_memory(), 300))


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (lambda: FixedAlternation(0), "every"),
        (lambda: RandomRefresh(1.5, np.random.default_rng(0)), "probability"),
    ],
)
def test_rules_that_mean_nothing_are_refused(rule, wrong):
    with pytest.raises(ValueError, match=wrong):
        rule()


def refresh_count(refined_of):
    """Refreshes by the clock in 100 frames of a person at rest, whose refined estimates depend on the frame."""
    memory = Memory(rule=AdaptiveClock())
    person = detections(LEFT)
    return sum(
        run_frame_at(memory, 0.04 * number, person, refined_of(number))
        .needs_refresh.sum()
        .item()
        for number in range(100)
    )


def random_error(number):
    off_mm = 300.0 * np.random.default_rng(number).normal(size=3)
    return detections(LEFT, off_mm=off_mm)


def test_the_clock_slows_down_where_propagated_and_fresh_estimates_agree():
    agreeing = refresh_count(lambda _: detections(LEFT, off_mm=30))
    disagreeing = refresh_count(random_error)

    assert agreeing <= 10
    assert disagreeing >= 2 * agreeing


def test_without_a_fitted_model_the_product_uses_the_clock():
    product = refreshes(Memory(), 40)

    np.testing.assert_array_equal(product, refreshes(Memory(rule=AdaptiveClock()), 40))
    assert 0 < product.sum() < 80


@pytest.mark.parametrize(
    ("scaled", "is_fitted", "expected"),
    [
        (False, True, [False, True]),
        (True, True, [True, False]),
        (True, False, [False, True]),
    ],
)
def test_a_scaled_clock_runs_by_the_root_of_the_expected_error(
    scaled, is_fitted, expected
):
    candidates = RefreshCandidates(
        age_s=np.array([0.1, 0.25]),
        frames=np.array([3, 6]),
        extra_mm=np.array([40.0, 2.5]),  # twice and half the speed at a target of 10
        accumulated_mm=np.zeros(2),
        interval_s=np.full(2, 0.2),
        target_mm=10.0,
        is_fitted=is_fitted,
    )

    refreshed = AdaptiveClock(scaled=scaled).needs_refresh(candidates)
    assert refreshed.tolist() == expected
