from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.figures import Figure, draws_of, summarise
from posecascade.models.lab.scoring.scoring import FrameScore, score_frame
from posecascade.models.skeleton import JOINT_NAMES, JOINTS

LIMB_SPREAD = np.random.default_rng(5).uniform(-1, 1, (JOINTS, 2))


def person(
    x_px: float,
    *,
    height_px: float = 100,
    root_mm: tuple[float, ...] | None = (0, 0, 4000),
) -> LabelledPerson:
    """Joints all over a box of half its height in width; in space round `root_mm`, None: 2D truth alone."""
    joints_px = np.array([x_px, 200]) + LIMB_SPREAD * np.array(
        [height_px / 4, height_px / 2]
    )
    joints_mm = np.full((JOINTS, 3), np.nan)
    if root_mm is not None:
        joints_mm = np.array(root_mm) + np.column_stack(
            [1000 * LIMB_SPREAD, np.zeros(JOINTS)]
        )
        hips = [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")]
        joints_mm[hips] = np.array(root_mm) + np.array([[100, 0, 0], [-100, 0, 0]])
    half = np.array([height_px / 4, height_px / 2])
    return LabelledPerson(
        joints_px,
        np.full(JOINTS, 2.0),
        joints_mm,
        np.concatenate([[x_px, 200] - half, [x_px, 200] + half]),
    )


def scored(people: list[LabelledPerson], found: list[int]) -> FrameScore:
    """The system finds exactly those of `found`."""
    frame = LabelledFrame(
        Path("a.jpg"), (2000, 480), None, tuple(people), np.empty((0, 4)), True, False
    )
    return score_frame(frame, [Guess(people[index].joints_px, 1.0) for index in found])


def figures(*scores: FrameScore) -> dict[str, Figure]:
    return summarise(
        scores, draws_of(len(scores), 9, np.random.default_rng(0)), says_3d=False
    ).figures


def test_people_below_48_pixels_may_be_missed_without_loss_in_the_figure_of_the_large() -> (
    None
):
    people = [
        person(100, height_px=47.9),
        person(500, height_px=48),
        person(900, height_px=300),
    ]

    [large, everybody] = [
        figures(scored(people, [2]))[key].value for key in ("found_large", "found")
    ]

    assert large == pytest.approx(100 / 2)
    assert everybody == pytest.approx(100 / 3)


def test_a_pair_is_kept_when_both_are_found() -> None:
    trio = [
        person(100),
        person(500, root_mm=(300, 0, 4400)),
        person(900, root_mm=(600, 0, 4800)),
    ]

    both = figures(scored(trio, [0, 1, 2]), scored(trio, [0, 1]), scored(trio, [0, 2]))

    assert both["pairs"].value == pytest.approx(
        100 * (2 + 1 + 0) / 6
    )  # the first and the third are 1 m apart


def test_one_detection_between_two_people_keeps_no_pair() -> None:
    together = [person(500), person(504, root_mm=(100, 0, 4100))]

    assert figures(scored(together, [0]))["pairs"].value == 0
    assert figures(scored(together, [0, 1]))["pairs"].value == 100


def test_people_of_different_frames_are_no_pair() -> None:
    alone = figures(scored([person(100)], [0]), scored([person(100)], [0]))

    assert np.isnan(alone["pairs"].value)
    assert alone["found_large"].value == 100


def test_photos_have_neither_figure() -> None:
    photo = figures(
        scored([person(100, root_mm=None), person(140, root_mm=None)], [0, 1])
    )

    assert photo["found"].value == 100
    assert np.isnan([photo["found_large"].value, photo["pairs"].value]).all()
