"""Facts about left and right: limbs that `coarse` has swapped are put right, and rotations are noticed."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.detections import Detections
from posecascade.models.skeleton import JOINT_NAMES
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.sides import fix_left_right, rotated_away
from tests.models.tracking.reuse.bodies import (
    EVERY_4,
    LEFT,
    RIGHT,
    detections,
    predict,
    run_frame_at,
)
from tests.standing import standing_mm

LEGS = ("hip", "knee", "ankle", "heel", "toe")
ARMS = ("shoulder", "elbow", "wrist")
JOINT_COLUMNS = ("joints_px", "rel_mm", "joint_scores", "sigma_mm")


def with_swapped(people: Detections, row: int, limbs: tuple[str, ...]) -> Detections:
    """One of the people with left and right of these joints swapped."""
    order = np.arange(len(JOINT_NAMES))
    for limb in limbs:
        left = JOINT_NAMES.index(f"left_{limb}")
        right = JOINT_NAMES.index(f"right_{limb}")
        order[[left, right]] = right, left
    columns = {name: getattr(people, name).copy() for name in JOINT_COLUMNS}
    for column in columns.values():
        column[row] = column[row][order]
    return replace(people, **columns)


def uneven(*roots_mm: tuple[float, float, float]) -> Detections:
    """People whose joints all have scores and sigmas of their own, with their limbs well apart."""
    people = detections(*roots_mm)
    count = len(JOINT_NAMES)
    return replace(
        people,
        rel_mm=people.rel_mm * [3, 1, 1],
        sigma_mm=people.sigma_mm * np.linspace(1, 2, count),
        joint_scores=people.joint_scores * np.linspace(0.5, 1, count),
    )


def is_same(one: Detections, other: Detections) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in JOINT_COLUMNS
    )


@pytest.mark.parametrize("limbs", [LEGS, ARMS, LEGS + ARMS])
def test_swapped_limbs_are_put_right_in_every_column(limbs: tuple[str, ...]) -> None:
    people = uneven(LEFT, RIGHT)
    fixed = fix_left_right(with_swapped(people, 1, limbs), people.rel_mm)

    assert is_same(fixed, people)


@pytest.mark.parametrize("off_mm", [0.0, 200.0])
def test_limbs_in_place_or_far_away_either_way_stay(off_mm: float) -> None:
    people = uneven(LEFT, RIGHT)

    assert is_same(fix_left_right(people, people.rel_mm + [0, 0, off_mm]), people)


def test_limbs_about_as_far_either_way_stay() -> None:
    people = uneven(LEFT, RIGHT)
    swapped = with_swapped(with_swapped(people, 0, LEGS), 1, LEGS)
    between_mm = 0.4 * people.rel_mm + 0.6 * swapped.rel_mm

    assert is_same(fix_left_right(people, between_mm), people)


def test_limbs_close_together_keep_their_sides() -> None:
    people = detections(LEFT)
    narrow = replace(people, rel_mm=people.rel_mm * [0.3, 1, 1])
    crossed = with_swapped(narrow, 0, LEGS)

    assert is_same(fix_left_right(crossed, narrow.rel_mm), crossed)


def test_an_empty_frame_stays_empty() -> None:
    nobody = detections()

    assert len(fix_left_right(nobody, np.zeros((0, len(JOINT_NAMES), 3)))) == 0


def test_a_propagated_pose_does_not_follow_swapped_legs() -> None:
    memory = Memory(rule=EVERY_4)
    people = uneven(LEFT, RIGHT)
    swapped = with_swapped(people, 0, LEGS)
    run_frame_at(memory, 0.0, people, people)
    run_frame_at(memory, 0.04, swapped, people)
    prediction = predict(memory, swapped, 0.08)

    assert prediction.frames.tolist() == [2, 2]
    np.testing.assert_allclose(prediction.propagated.rel_mm, people.rel_mm, atol=1e-6)


def test_the_refined_estimate_decides_which_side_is_which() -> None:
    memory = Memory(rule=EVERY_4)
    people = uneven(LEFT, RIGHT)
    run_frame_at(memory, 0.0, with_swapped(people, 0, LEGS), people)
    prediction = predict(memory, people, 0.04)

    np.testing.assert_allclose(prediction.tracks.offset_mm, 0, atol=1e-6)
    np.testing.assert_allclose(prediction.propagated.rel_mm, people.rel_mm, atol=1e-6)


@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, False), (40, False), (90, True), (180, True)]
)
def test_a_rotation_shows_in_shoulders_and_hips(degrees: float, expected: bool) -> None:
    body_mm = standing_mm()[None]
    cos = np.cos(np.radians(degrees))
    sin = np.sin(np.radians(degrees))
    now_mm = body_mm @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])

    assert rotated_away(body_mm, now_mm).tolist() == [expected]


def test_a_body_without_extent_has_not_rotated() -> None:
    body_mm = standing_mm()[None]

    assert not rotated_away(body_mm, np.zeros_like(body_mm)).any()
