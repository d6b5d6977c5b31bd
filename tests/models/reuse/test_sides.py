"""Facts about mixed up sides: what a carried pose follows is not what `coarse` mixes up for a few frames."""

from dataclasses import replace

import numpy as np
import pytest

from models.looks import Looks
from models.reuse.memory import Memory
from models.reuse.sides import like
from models.skeleton import JOINT_NAMES
from tests.models.reuse.bodies import ALTERNATING, HERE, THERE, asked, look_deeper, looks

LEGS, ARMS = ("hip", "knee", "ankle", "heel", "toe"), ("shoulder", "elbow", "wrist")


def mixed_up(people: Looks, row: int, *limbs: str) -> Looks:
    """One of the people with left and right of these joints swapped."""
    order = np.arange(len(JOINT_NAMES))
    for limb in limbs:
        left, right = JOINT_NAMES.index(f"left_{limb}"), JOINT_NAMES.index(f"right_{limb}")
        order[[left, right]] = right, left
    swapped = {name: getattr(people, name).copy() for name in ("joints_px", "rel_mm", "joint_scores", "sigma_mm")}
    for column in swapped.values():
        column[row] = column[row][order]
    return replace(people, **swapped)


def uneven(*roots_mm: tuple[float, float, float]) -> Looks:
    """People whose joints all have scores and sigmas of their own, with their limbs well apart."""
    people = looks(*roots_mm)
    count = len(JOINT_NAMES)
    return replace(people, rel_mm=people.rel_mm * [3, 1, 1], sigma_mm=people.sigma_mm * np.linspace(1, 2, count),
                   joint_scores=people.joint_scores * np.linspace(0.5, 1, count))


def same(one: Looks, other: Looks) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name))
               for name in ("joints_px", "rel_mm", "joint_scores", "sigma_mm"))


@pytest.mark.parametrize("limbs", [LEGS, ARMS, LEGS + ARMS])
def test_swapped_limbs_are_put_right_with_all_that_is_said_of_them(limbs: tuple[str, ...]) -> None:
    people = uneven(HERE, THERE)

    assert same(like(mixed_up(people, 1, *limbs), people.rel_mm), people)


@pytest.mark.parametrize("off_mm", [0.0, 200.0])
def test_limbs_that_are_where_they_should_be_or_nowhere_near_stay(off_mm: float) -> None:
    people = uneven(HERE, THERE)

    assert same(like(people, people.rel_mm + [0, 0, off_mm]), people)


def test_limbs_about_as_far_either_way_round_stay() -> None:
    people = uneven(HERE, THERE)
    between = 0.4 * people.rel_mm + 0.6 * mixed_up(mixed_up(people, 0, *LEGS), 1, *LEGS).rel_mm

    assert same(like(people, between), people)


def test_limbs_close_together_keep_their_sides() -> None:
    people = looks(HERE)
    narrow = replace(people, rel_mm=people.rel_mm * [0.3, 1, 1])
    crossed = mixed_up(narrow, 0, *LEGS)

    assert same(like(crossed, narrow.rel_mm), crossed)


def test_nobody_is_no_trouble() -> None:
    nobody = looks()

    assert len(like(nobody, np.zeros((0, len(JOINT_NAMES), 3)))) == 0


def test_a_carried_pose_does_not_follow_mixed_up_legs() -> None:
    memory, apart = Memory(ALTERNATING), uneven(HERE, THERE)
    look_deeper(memory, apart, apart, 0.0)
    look_deeper(memory, mixed_up(apart, 0, *LEGS), apart, 0.04)
    recall = asked(memory, mixed_up(apart, 0, *LEGS), 0.08)

    assert recall.frames.tolist() == [2, 2]
    np.testing.assert_allclose(recall.carried.rel_mm, apart.rel_mm, atol=1e-6)


def test_a_deep_look_says_which_side_is_which() -> None:
    memory, apart = Memory(ALTERNATING), uneven(HERE, THERE)
    look_deeper(memory, mixed_up(apart, 0, *LEGS), apart, 0.0)
    recall = asked(memory, apart, 0.04)

    np.testing.assert_allclose(recall.known.offset_mm, 0, atol=1e-6)
    np.testing.assert_allclose(recall.carried.rel_mm, apart.rel_mm, atol=1e-6)
