from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.average_precision import (
    AREA_OF_BOX,
    Detections,
    average_precision,
    judge,
    oks,
)
from posecascade.models.skeleton import COCO17, JOINTS

BOX = np.array([100.0, 100.0, 300.0, 300.0])
AREA = AREA_OF_BOX * 200 * 200
BODY = np.random.default_rng(1).uniform(100, 300, (JOINTS, 2))


def person(joints_px: np.ndarray) -> LabelledPerson:
    return LabelledPerson(
        joints_px, np.full(JOINTS, 2.0), np.full((JOINTS, 3), np.nan), BOX
    )


def frame(*people: LabelledPerson, ignore: np.ndarray | None = None) -> LabelledFrame:
    return LabelledFrame(
        Path("a.jpg"),
        (640, 480),
        None,
        people,
        np.empty((0, 4)) if ignore is None else ignore,
        True,
        True,
    )


def ap(*frames: tuple[LabelledFrame, list[Guess]]) -> float:
    return average_precision([judge(*pair) for pair in frames])


def test_oks_of_one_joint_off_by_its_own_spread_is_the_known_value() -> None:
    truth = np.full((1, 17, 2), np.nan)
    truth[0, 0] = 0, 0
    off = np.nan_to_num(truth)
    off[0, 0] = 2 * 0.026 * np.sqrt(AREA), 0

    assert oks(off, truth, np.array([AREA]))[0, 0] == pytest.approx(np.exp(-0.5))


def test_everyone_found_and_nobody_else_is_one() -> None:
    assert ap(
        (
            frame(person(BODY), person(BODY + 400)),
            [Guess(BODY, 0.5), Guess(BODY + 400, 0.9)],
        )
    ) == pytest.approx(1)


def test_half_the_people_found_reach_half_the_recall() -> None:
    found = ap((frame(person(BODY), person(BODY + 400)), [Guess(BODY, 0.5)]))

    assert found == pytest.approx(51 / 101)  # recall 0, 0.01 ... 0.50


def test_a_surplus_detection_hurts_only_when_it_ranks_above_a_right_one() -> None:
    unmatched = BODY + 900

    assert ap(
        (frame(person(BODY)), [Guess(BODY, 0.9), Guess(unmatched, 0.1)])
    ) == pytest.approx(1)
    assert ap(
        (frame(person(BODY)), [Guess(BODY, 0.1), Guess(unmatched, 0.9)])
    ) == pytest.approx(0.5)


def test_a_surplus_detection_in_an_ignore_box_does_not_hurt() -> None:
    ignore = BOX[None] + 900

    assert ap(
        (frame(person(BODY), ignore=ignore), [Guess(BODY, 0.1), Guess(BODY + 900, 0.9)])
    ) == pytest.approx(1)


def test_two_detections_of_one_person_cannot_both_be_right() -> None:
    judged = judge(frame(person(BODY)), [Guess(BODY, 0.9), Guess(BODY, 0.8)])

    assert judged.right.all(0).tolist() == [True, False]


def test_frames_without_people_or_without_detections_are_frames() -> None:
    assert np.isnan(ap((frame(), [Guess(BODY, 1.0)])))
    assert ap((frame(person(BODY)), []), (frame(), [])) == 0


def test_only_joints_of_coco_matter() -> None:
    lacking = BODY.copy()
    lacking[np.setdiff1d(np.arange(JOINTS), COCO17.source)] = np.nan

    judged: Detections = judge(frame(person(BODY)), [Guess(lacking, 1.0)])

    assert judged.right.all()
