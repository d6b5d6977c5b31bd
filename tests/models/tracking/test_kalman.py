"""Facts about how roots are predicted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.tracking.kalman import Motion

ROOT = np.array([[300.0, -100.0, 4000.0]])
SIGMA = np.array([120.0])
ASIDE = np.array([1.0, 0.0, 0.0])
SECONDS = st.floats(1e-4, 5.0)


def walking():
    start = Motion.starting(ROOT, SIGMA)
    return Motion(start.mean + np.array([0, 0, 0, 1000.0, 0, -500.0]), start.covariance)


@given(SECONDS, SECONDS)
def test_two_short_waits_are_one_long_wait(first, second):
    twice = walking().predicted(np.array([first])).predicted(np.array([second]))
    once = walking().predicted(np.array([first + second]))

    np.testing.assert_allclose(twice.mean, once.mean)
    np.testing.assert_allclose(twice.covariance, once.covariance, rtol=1e-3, atol=1e-3)


def test_over_a_few_frames_the_velocity_is_constant():
    moved = walking().predicted(np.array([0.1])).mean[0, :3] - ROOT[0]

    np.testing.assert_allclose(moved, [97, 0, -49], atol=1)


def test_the_longer_a_track_was_unseen_the_likelier_is_a_step_aside():
    aside = ROOT + ASIDE * 600
    start = Motion.starting(ROOT, SIGMA)
    distance2 = [
        start.predicted(np.array([wait])).mahalanobis2(aside, SIGMA)[0].item()
        for wait in (0.03, 0.3, 1.0, 3.0)
    ]

    assert distance2 == sorted(distance2, reverse=True)
    assert distance2[0] > 50


def test_an_error_along_the_ray_is_likelier_than_one_across():
    start = Motion.starting(ROOT, SIGMA)
    ray = ROOT / np.linalg.norm(ROOT)
    along, _ = start.mahalanobis2(ROOT + 150 * ray, SIGMA)
    across, _ = start.mahalanobis2(ROOT + 150 * ASIDE, SIGMA)

    assert along.item() < 1 < 8 < across.item()


def test_the_velocity_of_a_steady_walk_is_found():
    motion = Motion.starting(ROOT, SIGMA)
    velocity = np.array([800.0, 0.0, 400.0])
    for step in range(1, 90):
        motion = motion.predicted(np.array([1 / 30])).corrected(
            ROOT + velocity * step / 30, SIGMA
        )

    np.testing.assert_allclose(motion.mean[0, 3:], velocity, atol=50)


def test_the_covariance_stays_positive_definite():
    motion = Motion.starting(ROOT, np.array([0.0]))
    for _ in range(500):
        motion = motion.predicted(np.array([1 / 60])).corrected(ROOT, np.array([0.0]))

    assert np.linalg.eigvalsh(motion.covariance).min() > 0


def test_distance_and_volume_are_the_log_density_of_a_gaussian():
    start = Motion.starting(ROOT, SIGMA)
    root = ROOT + [[50.0, -20.0, 200.0]]
    distance2, log_volume = start.mahalanobis2(root, SIGMA)
    spread = (
        2 * start.covariance[0, :3, :3]
    )  # track and root err alike: the same root, nearly
    away = (root - ROOT)[0]

    assert distance2.item() == pytest.approx(
        away @ np.linalg.inv(spread) @ away, rel=0.05
    )
    assert log_volume.item() == pytest.approx(
        np.linalg.slogdet(2 * np.pi * spread)[1], rel=0.01
    )
