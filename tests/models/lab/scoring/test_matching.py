from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.matching import (
    FOUND_AT,
    LIMBS,
    SPREAD,
    match,
    similarity,
)
from posecascade.models.skeleton import JOINTS

BOX = np.array([100.0, 100.0, 300.0, 300.0])
NOWHERE = np.full((JOINTS, 2), np.nan)


def person(joints_px: np.ndarray) -> LabelledPerson:
    return LabelledPerson(
        joints_px, np.full(JOINTS, 2.0), np.full((JOINTS, 3), np.nan), BOX
    )


def frame(*people: LabelledPerson) -> LabelledFrame:
    return LabelledFrame(
        Path("a.jpg"), (640, 480), None, people, np.empty((0, 4)), True, False
    )


@pytest.fixture
def joints_px() -> np.ndarray:
    return np.random.default_rng(1).uniform(100, 300, (JOINTS, 2))


def with_limbs(joints_px: np.ndarray, count: int) -> np.ndarray:
    some = NOWHERE.copy()
    some[LIMBS[:count]] = joints_px[LIMBS[:count]]
    return some


def test_six_marked_limb_joints_count_and_five_do_not(joints_px: np.ndarray) -> None:
    five = person(with_limbs(joints_px, 5))
    six = person(with_limbs(joints_px, 6))

    assert match(frame(five, six), []).people == (six,)


def test_a_detection_on_someone_who_does_not_count_is_false(
    joints_px: np.ndarray,
) -> None:
    matches = match(frame(person(with_limbs(joints_px, 5))), [Guess(joints_px, 1.0)])

    assert matches.false.tolist() == [True]


@given(st.floats(0.0, 0.5))
def test_someone_is_found_as_far_as_the_similarity_allows(share_of_size: float) -> None:
    truth = np.random.default_rng(1).uniform(100, 300, (JOINTS, 2))
    matches = match(
        frame(person(truth)), [Guess(truth + np.array([share_of_size * 200, 0]), 1.0)]
    )

    oks = np.exp(-(share_of_size**2) / (2 * SPREAD**2))
    if abs(oks - FOUND_AT) > 1e-9:
        assert (matches.found_by[0] == 0) == (oks > FOUND_AT)


def test_two_people_side_by_side_keep_their_own_detection(
    joints_px: np.ndarray,
) -> None:
    left = joints_px
    right = joints_px + np.array([30, 0])

    matches = match(
        frame(person(left), person(right)),
        [Guess(right + 5, 0.9), Guess(left - 5, 0.8)],
    )

    assert matches.found_by.tolist() == [1, 0]
    assert not matches.false.any()


def test_a_second_detection_of_the_same_person_is_false(joints_px: np.ndarray) -> None:
    matches = match(
        frame(person(joints_px)), [Guess(joints_px + 9, 0.9), Guess(joints_px, 0.8)]
    )

    assert matches.found_by.tolist() == [1]
    assert matches.false.tolist() == [True, False]


def test_a_stranger_in_an_ignore_box_or_among_unlabelled_people_is_not_false(
    joints_px: np.ndarray,
) -> None:
    empty = frame()
    unmatched = [Guess(joints_px, 1.0)]

    assert match(empty, unmatched).false.tolist() == [True]
    assert match(
        replace(empty, ignore_xyxy_px=BOX[None]), unmatched
    ).false.tolist() == [False]
    assert match(replace(empty, everyone_labelled=False), unmatched).false.tolist() == [
        False
    ]


def test_a_pair_without_a_common_joint_is_not_alike(joints_px: np.ndarray) -> None:
    truth = joints_px[None, :12].copy()
    guess = joints_px[None, :12].copy()
    truth[0, :6], guess[0, 6:] = np.nan, np.nan

    assert similarity(truth, np.array([200.0]), guess).tolist() == [[0.0]]


def test_nobody_there_and_nobody_found_is_a_frame_like_any_other(
    joints_px: np.ndarray,
) -> None:
    assert match(frame(), []).people == ()
    assert match(frame(person(joints_px)), []).found_by.tolist() == [-1]
