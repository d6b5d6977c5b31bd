from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.evaluation.sigma import Reliability, sigma_figures
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.matching import HIPS, LIMBS
from posecascade.models.lab.scoring.scoring import FrameScore, score_frame
from posecascade.models.skeleton import JOINTS

SCATTERED = np.random.default_rng(2).uniform(-1, 1, (JOINTS, 3))
HIP_JOINTS = LIMBS[HIPS]


def person(height_px: float, *, hidden: int = 0, unmarked: int = 0) -> LabelledPerson:
    """The last limb joints, knees and ankles, are hidden or unmarked."""
    joints_px = 100 + SCATTERED[:, :2] * height_px / 2
    seen = np.full(JOINTS, 2.0)
    seen[LIMBS[12 - hidden - unmarked :]] = 1
    gone = LIMBS[12 - unmarked :]
    seen[gone], joints_px[gone] = 0, np.nan
    box = np.array(
        [
            100 - height_px / 2,
            100 - height_px / 2,
            100 + height_px / 2,
            100 + height_px / 2,
        ]
    )
    return LabelledPerson(joints_px, seen, 1000 * SCATTERED, box)


def scored(
    truth: LabelledPerson,
    *,
    error_mm: float,
    sigma_mm: float,
    where: float | None = None,
) -> FrameScore:
    """The limb joints but the hips are off by `error_mm`; only those that the truth has seen so, where `where` says."""
    off = np.zeros((JOINTS, 3))
    off[LIMBS if where is None else LIMBS[truth.seen[LIMBS] == where], 0] = error_mm
    off[HIP_JOINTS] = 0
    frame = LabelledFrame(
        Path("a.jpg"), (640, 480), None, (truth,), np.empty((0, 4)), True, False
    )
    joints_px = 100 + SCATTERED[:, :2] * (truth.box_xyxy_px[3] - 100)
    return score_frame(
        frame, [Guess(joints_px, 1.0, truth.joints_mm + off, np.full(JOINTS, sigma_mm))]
    )


def test_people_below_the_median_height_are_small_whoever_is_found() -> None:
    box_heights = [60, 100, 140]
    scores = [
        scored(person(height), error_mm=height, sigma_mm=99) for height in box_heights
    ]

    figures = sigma_figures(scores)

    assert figures is not None
    small = figures.parts["small people"]
    large = figures.parts["large people"]
    assert (small.joints, small.coverage) == (12, 1.0)
    assert (large.joints, large.coverage) == (
        24,
        pytest.approx(4 / 24),
    )  # the hips alone are not off
    assert small.ratio == pytest.approx(60 / 99 * np.sqrt(10 / 12))


def test_visible_hidden_and_unmarked_joints_are_told_apart_and_add_up() -> None:
    figures = sigma_figures(
        [scored(person(200, hidden=2, unmarked=2), error_mm=80, sigma_mm=40, where=1)]
    )

    assert figures is not None
    parts = figures.parts
    assert {name: (part.joints, part.coverage) for name, part in parts.items()} == {
        "large people": (12, 10 / 12),
        "visible joints": (8, 1.0),
        "hidden joints": (2, 0.0),
        "unmarked joints": (2, 1.0),
    }
    assert parts["hidden joints"].ratio == pytest.approx(2)
    assert figures.everybody == parts["large people"]


def test_errors_as_large_as_sigma_have_ratio_one() -> None:
    assert Reliability.of(np.full(4, 30.0), np.full(4, 30.0)) == Reliability(
        4, 1.0, 1.0
    )
