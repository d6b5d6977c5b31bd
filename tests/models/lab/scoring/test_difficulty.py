from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.difficulty import difficulty, hardest, overlapped
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.skeleton import JOINTS

EASY = (100.0, 100.0, 200.0, 400.0)


def person(
    box_xyxy_px: tuple[float, ...] = EASY, *, hidden: int = 0, absent: int = 0
) -> LabelledPerson:
    """Someone of whose limb joints so many are marked hidden, and so many not at all."""
    joints_px = np.full((JOINTS, 2), 150.0)
    seen = np.full(JOINTS, 2.0)
    seen[LIMBS[:hidden]] = 1
    gone = LIMBS[hidden : hidden + absent]
    seen[gone], joints_px[gone] = 0, np.nan
    return LabelledPerson(
        joints_px, seen, np.full((JOINTS, 3), np.nan), np.array(box_xyxy_px)
    )


def frame(*people: LabelledPerson) -> LabelledFrame:
    return LabelledFrame(
        Path("a.jpg"), (640, 480), None, people, np.empty((0, 4)), True, True
    )


@pytest.mark.parametrize(
    "harder",
    [
        person(hidden=3),
        person(absent=3),
        person((100, 100, 200, 380)),
        person((100, 180, 200, 480)),
    ],
    ids=["hidden", "not marked", "small", "cut by the frame"],
)
def test_each_term_alone_makes_someone_harder(harder: LabelledPerson) -> None:
    easy, hard, other = difficulty([frame(person()), frame(harder), frame(person())])

    assert easy == other < hard
    assert hard - easy == pytest.approx(
        0.75 / 4
    )  # rank 1 of 0..1, against the mean rank of two equals, in one of four


def test_who_is_overlapped_most_is_harder_than_who_overlaps_them() -> None:
    small_behind = person((100, 100, 200, 400))
    large_before = person((150, 100, 450, 400))

    assert overlapped(
        small_behind.box_xyxy_px, [large_before.box_xyxy_px]
    ) == pytest.approx(1 / 2)
    assert overlapped(
        large_before.box_xyxy_px, [small_behind.box_xyxy_px]
    ) == pytest.approx(1 / 6)
    behind, before = difficulty([frame(small_behind, large_before)])
    assert behind > before


def test_the_largest_overlap_counts_and_not_the_sum() -> None:
    box = np.array([0.0, 0, 60, 10])
    half = np.array([0.0, 0, 30, 10])
    third = np.array([30.0, 0, 50, 10])

    assert overlapped(box, [half, third]) == pytest.approx(1 / 2)
    assert overlapped(box, []) == 0


def test_the_hardest_third_is_a_third_and_named_by_its_place_among_those_who_count() -> (
    None
):
    uncounted = person(absent=7)
    frames = [
        frame(uncounted, person(), person(hidden=6)),
        frame(),
        frame(person(hidden=5), person(), person(), person(hidden=1)),
    ]

    assert hardest(frames) == {(0, 1), (2, 0)}


def test_nobody_and_one_person_are_no_trouble() -> None:
    assert hardest([frame()]) == frozenset()
    assert difficulty([frame(person(hidden=4))]).tolist() == [0]
