from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.figures import draws_of, summarise
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.lab.scoring.scoring import score_frame
from posecascade.models.skeleton import JOINT_NAMES
from tests.models.lab.evaluation.crowd import crowd

# What the protocol's first implementation, a script with plain loops, gives for the same detections.
REFERENCE = {
    7: {
        "people": 45,
        "found": 84.444444444,
        "false": 0.666666667,
        "pck2d": 58.744394619,
        "pck3d": 61.818181818,
        "mpjpe": 112.077860556,
        "pa_mpjpe": 88.68291387,
        "root": 109.638442248,
    },
    8: {
        "people": 42,
        "found": 90.476190476,
        "false": 0.5,
        "pck2d": 60.730593607,
        "pck3d": 68.932038835,
        "mpjpe": 112.70325273,
        "pa_mpjpe": 83.686524177,
        "root": 155.179183574,
    },
}


@pytest.mark.parametrize("seed", REFERENCE)
def test_every_figure_equals_the_first_implementation_of_the_protocol(
    tmp_path: Path, seed: int
) -> None:
    guesses = crowd(tmp_path, seed=seed)
    frames = read_folder(tmp_path).frames
    scores = [score_frame(*pair) for pair in zip(frames, guesses, strict=True)]

    row = summarise(
        scores, draws_of(len(scores), 1, np.random.default_rng(0)), says_3d=True
    )

    got = {"people": row.people} | {
        key: figure.value for key, figure in row.figures.items()
    }
    assert {key: got[key] for key in REFERENCE[seed]} == pytest.approx(
        REFERENCE[seed], abs=1e-8
    )


def test_the_order_of_the_detections_changes_nothing(tmp_path: Path) -> None:
    guesses = crowd(tmp_path)
    frames = read_folder(tmp_path).frames

    def errors(orders: list[list[Guess]]) -> list[list[np.ndarray]]:
        return [
            [person.errors_mm for person in score_frame(*pair).people]
            for pair in zip(frames, orders, strict=True)
        ]

    for left, right in zip(
        errors(guesses), errors([found[::-1] for found in guesses]), strict=True
    ):
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_truth_itself_scores_perfectly(tmp_path: Path) -> None:
    crowd(tmp_path)
    frames = read_folder(tmp_path).frames
    reported = [
        [Guess(person.joints_px, 1.0, person.joints_mm) for person in frame.people]
        for frame in frames
    ]

    scores = [score_frame(*pair) for pair in zip(frames, reported, strict=True)]
    row = summarise(
        scores, draws_of(len(scores), 1, np.random.default_rng(0)), says_3d=True
    )

    assert {
        key: row.figures[key].value for key in ("found", "pck2d", "ap", "pck3d")
    } == pytest.approx({"found": 100, "pck2d": 100, "ap": 100, "pck3d": 100})
    assert row.figures["mpjpe"].value == pytest.approx(0, abs=1e-9)


def test_the_error_of_the_root_is_told_in_mm_and_as_a_share_of_its_true_distance(
    tmp_path: Path,
) -> None:
    crowd(tmp_path)
    frames = read_folder(tmp_path).frames
    hips = [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")]
    reported = [
        [
            Guess(
                person.joints_px,
                1.0,
                person.joints_mm,
                root_mm=1.1 * person.joints_mm[hips].mean(0),
            )
            for person in frame.people
        ]
        for frame in frames
    ]

    scores = [score_frame(*pair) for pair in zip(frames, reported, strict=True)]
    row = summarise(
        scores, draws_of(len(scores), 1, np.random.default_rng(0)), says_3d=True
    )

    roots = [
        one.truth.joints_mm[hips].mean(0)
        for frame in scores
        for one in frame.people
        if np.isfinite(one.root_error_mm)
    ]
    assert row.figures["root_share"].value == pytest.approx(10)
    assert row.figures["root"].value == pytest.approx(
        0.1 * np.median(np.linalg.norm(roots, axis=1))
    )


def test_someone_missed_counts_as_wrong_in_shares_and_not_at_all_in_mean_errors(
    tmp_path: Path,
) -> None:
    guesses = crowd(tmp_path)
    frames = read_folder(tmp_path).frames

    people = [
        p
        for frame, found in zip(frames, guesses, strict=True)
        for p in score_frame(frame, found).people
    ]
    missed = [person for person in people if not person.found]

    assert missed
    assert all(
        np.isinf(person.errors_2d).all() and np.isinf(person.errors_mm).all()
        for person in missed
    )
    assert not any(person.found_in_3d for person in missed)


def test_a_joint_that_a_system_lacks_is_wrong_but_does_not_spoil_the_match(
    tmp_path: Path,
) -> None:
    crowd(tmp_path)
    frame = next(frame for frame in read_folder(tmp_path).frames if frame.people)
    person = frame.people[0]
    wristless = person.joints_px.copy()
    wristless[JOINT_NAMES.index("left_wrist")] = np.nan

    [score, *_] = score_frame(frame, [Guess(wristless, 1.0)]).people

    marked = LIMBS[np.isfinite(person.joints_px[LIMBS, 0])]
    assert score.found
    assert [JOINT_NAMES[joint] for joint in marked[np.isinf(score.errors_2d)]] == [
        "left_wrist"
    ]
