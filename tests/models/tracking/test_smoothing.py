"""Facts about smoothed poses."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.tracking.smoothing import GAP_S, PoseSmoother
from tests.standing import standing

NEW = np.array([-1])
SAME = np.array([0])


def noisy(rng, person, joint_mm=10.0, depth=0.02, px=2.0):
    pose = person.pose
    return replace(
        person,
        pose=replace(
            pose,
            joints_rel_mm=pose.joints_rel_mm + rng.normal(scale=joint_mm, size=(25, 3)),
            joints_px=pose.joints_px + rng.normal(scale=px, size=(25, 2)),
            root_mm=pose.root_mm * (1 + rng.normal(scale=depth)),
        ),
    )


def stream(people, fps=30):
    smoother = PoseSmoother()
    return [
        smoother.smoothed([person], NEW if frame == 0 else SAME, frame / fps)[0]
        for frame, person in enumerate(people)
    ]


def test_a_person_who_stands_still_stands_still():
    rng = np.random.default_rng(0)
    poses = stream([noisy(rng, standing()) for _ in range(150)])[60:]

    assert (
        np.std([pose.joints_rel_mm for pose in poses], axis=0).mean() <= 4
    )  # of 10 mm
    assert np.std([pose.root_mm[2] for pose in poses]) <= 25  # of 80 mm
    assert np.std([pose.joints_px for pose in poses], axis=0).mean() <= 0.9  # of 2 px


def test_a_walk_across_does_not_lag_because_of_a_jittering_distance():
    rng = np.random.default_rng(0)
    truth = [standing((-1500 + 1200 * frame / 30, 0, 4000)) for frame in range(75)]
    poses = stream([noisy(rng, person, depth=0.04) for person in truth])
    bearing = np.array([pose.root_mm[0] / pose.root_mm[2] for pose in poses])
    true_bearing = np.array(
        [person.pose.root_mm[0] / person.pose.root_mm[2] for person in truth]
    )

    assert (
        np.abs(bearing - true_bearing)[15:].max() * 4000 < 1200 * 0.05
    )  # as if 50 ms late


def test_uncertain_joints_move_less():
    rng = np.random.default_rng(0)
    sigma = np.where(np.arange(25) < 12, 30.0, 300.0)
    people = [
        noisy(rng, replace(p := standing(), pose=replace(p.pose, sigma_mm=sigma)))
        for _ in range(150)
    ]
    spread = np.std([pose.joints_rel_mm for pose in stream(people)[60:]], axis=0).mean(
        axis=1
    )

    assert spread[12:].max() < spread[:12].min()


def test_uncertainty_and_scores_pass_through():
    person = standing()
    pose = stream([person, person])[1]

    assert pose.sigma_mm is person.pose.sigma_mm
    assert pose.joint_scores is person.pose.joint_scores
    assert pose.root_sigma_mm == person.pose.root_sigma_mm


@pytest.mark.parametrize(("rows", "wait"), [(NEW, 0.1), (SAME, GAP_S + 0.1)])
def test_new_people_and_people_long_unseen_are_passed_through(rows, wait):
    smoother = PoseSmoother()
    there = standing((1000, 0, 6000), turn_deg=90)
    smoother.smoothed([standing()], NEW, 0.0)
    (pose,) = smoother.smoothed([there], rows, wait)

    np.testing.assert_allclose(pose.joints_mm, there.pose.joints_mm)
    np.testing.assert_allclose(pose.joints_px, there.pose.joints_px)


def test_a_person_unseen_for_two_frames_is_still_smoothed():
    smoother = PoseSmoother()
    smoother.smoothed([standing((0, 0, 4000))], NEW, 0.0)
    smoother.smoothed([], SAME, 0.03)
    smoother.smoothed([], SAME, 0.07)
    (pose,) = smoother.smoothed([standing((0, 0, 5000))], SAME, 0.1)

    assert 4000 < pose.root_mm[2] < 4800


def test_each_person_has_filters_of_their_own():
    smoother = PoseSmoother()
    left = standing((-900, 0, 4000))
    right = standing((900, 0, 4000))
    smoother.smoothed([left, right], np.array([-1, -1]), 0.0)
    poses = smoother.smoothed([right, left], np.array([1, 0]), 0.03)

    np.testing.assert_allclose(
        [pose.root_mm for pose in poses], [right.pose.root_mm, left.pose.root_mm]
    )
