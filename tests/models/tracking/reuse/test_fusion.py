"""Facts about confidence: how far a joint follows `coarse`, and how new estimates are fused with propagated ones."""

import numpy as np
import pytest

from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.propagation import (
    FOLLOW_DEPTH_S,
    FOLLOW_S,
    FORGET_S,
)
from posecascade.models.tracking.reuse.settings import Reuse
from posecascade.models.tracking.reuse.update import NEW_CORRECTION_SHARE
from tests.models.tracking.reuse.bodies import (
    EVERY_4,
    IMAGE,
    LEFT,
    REFINED,
    RIGHT,
    TWO_PEOPLE,
    detections,
    memory_of_two,
    predict,
    with_joint_score,
)

LEAST_SHARE = 1 - np.exp(-0.04 / FORGET_S)
"""Of the new estimate after a frame interval, at joints of no confidence."""


def refined_by(memory, joint_score):
    """The prediction and the answer where both people are refined, displaced and with this score of their joints."""
    refined = detections(LEFT, RIGHT, off_mm=130, joint_score=joint_score)
    memory.begin(0.04)
    prediction = memory.predict(IMAGE, TWO_PEOPLE, None)
    final = memory.update(
        prediction, TWO_PEOPLE, refined, [Stage.EXPERT] * 2, np.zeros(2, bool)
    )
    return prediction, refined, final


def coarse_only(memory, coarse, time_s, **settings):
    """The prediction and the answer where nobody is refined."""
    memory.begin(time_s)
    prediction = memory.predict(IMAGE, coarse, None, **settings)
    stages = [Stage.COARSE] * len(coarse)
    reused = np.zeros(len(coarse), bool)
    return prediction, memory.update(prediction, coarse, coarse, stages, reused)


@pytest.mark.parametrize(
    ("score", "share"), [(1.0, 0.9), (0.8, 0.9), (0.4, 0.45), (0.0, LEAST_SHARE)]
)
def test_a_refined_estimate_is_fused_by_the_confidence_of_its_joints(score, share):
    prediction, refined, final = refined_by(memory_of_two(), score)

    for name in ("rel_mm", "joints_px"):
        before = getattr(prediction.propagated, name)
        now = getattr(refined, name)
        np.testing.assert_allclose(
            getattr(final, name), before + share * (now - before)
        )
    np.testing.assert_array_equal(final.sigma_mm, refined.sigma_mm)


def test_the_fused_answer_is_what_is_propagated_on():
    memory = memory_of_two()
    _, _, final = refined_by(memory, 0.4)
    prediction = memory.predict(IMAGE, TWO_PEOPLE, None)

    np.testing.assert_allclose(prediction.propagated.rel_mm, final.rel_mm, atol=1e-6)


@pytest.mark.parametrize("deep_allowed", [True, False])
@pytest.mark.parametrize(
    ("score", "share"), [(0.9, 0.9), (0.4, 0.45), (0.0, LEAST_SHARE)]
)
def test_coarse_answers_are_fused_with_coarse_ones(score, share, deep_allowed):
    memory = Memory()
    before = TWO_PEOPLE
    now = detections(LEFT, RIGHT, joint_score=score, off_mm=100)
    coarse_only(memory, before, 0.0, deep_allowed=deep_allowed)
    prediction, final = coarse_only(memory, now, 0.04, deep_allowed=deep_allowed)

    expected_mm = before.rel_mm + share * (now.rel_mm - before.rel_mm)
    np.testing.assert_allclose(final.rel_mm, expected_mm)
    assert not prediction.has.any()
    # A person hidden from head to toe is not worth a refinement.
    needs_refresh = score > 0 or not deep_allowed
    assert prediction.needs_refresh.tolist() == [needs_refresh] * 2


def test_joints_of_no_confidence_move_with_the_body():
    memory = Memory()
    walked_mm = (-760, 0, 4000)
    coarse_only(memory, detections(LEFT), 0.0)
    _, final = coarse_only(memory, detections(walked_mm, joint_score=0.0), 0.04)

    expected_px = detections(walked_mm).joints_px
    np.testing.assert_allclose(final.joints_px, expected_px, atol=0.5)


def test_a_coarse_answer_is_not_fused_with_a_refined_one():
    coarse = detections(LEFT, RIGHT, joint_score=0.1)
    _, final = coarse_only(memory_of_two(), coarse, 0.04, deep_allowed=False)

    np.testing.assert_array_equal(final.rel_mm, coarse.rel_mm)


def test_an_isolated_frame_takes_nothing_from_earlier_frames():
    memory = Memory()
    coarse = detections(LEFT, RIGHT, joint_score=0.1, off_mm=100)
    coarse_only(memory, TWO_PEOPLE, 0.0)
    prediction, final = coarse_only(memory, coarse, 0.04, isolate_frame=True)
    assert prediction.temporal.age_s.tolist() == [10.0, 10.0]
    np.testing.assert_array_equal(final.rel_mm, coarse.rel_mm)

    memory = memory_of_two()
    memory.begin(0.04)
    assert not memory.predict(IMAGE, coarse, None, isolate_frame=True).has.any()


@pytest.mark.parametrize(
    "memory", [Memory(rule=EVERY_4), memory_of_two(Reuse(fuse=False))]
)
def test_a_first_estimate_and_one_without_fusion_stand_alone(memory):
    _, refined, final = refined_by(memory, 0.1)

    np.testing.assert_array_equal(final.rel_mm, refined.rel_mm)


def test_the_propagated_pose_follows_fast_across_the_image_and_slowly_in_depth():
    moved = detections(LEFT, RIGHT, off_mm=np.array([100, 0, 100]))
    prediction = predict(memory_of_two(), moved, 0.04)
    moved_mm = prediction.propagated.rel_mm - REFINED.rel_mm
    across, down, in_depth = moved_mm[0, 15]

    assert across == pytest.approx(100 * (1 - np.exp(-0.04 / FOLLOW_S)))
    assert down == pytest.approx(0)
    assert in_depth == pytest.approx(100 * (1 - np.exp(-0.04 / FOLLOW_DEPTH_S)))
    assert in_depth < across / 2


def test_a_joint_of_half_the_confidence_follows_a_quarter_as_far():
    full, half = (
        predict(
            memory_of_two(),
            detections(LEFT, RIGHT, joint_score=score, off_mm=100),
            0.04,
        ).propagated.rel_mm
        - REFINED.rel_mm
        for score in (0.8, 0.4)
    )

    np.testing.assert_allclose(half, full / 4)


def test_the_correction_is_of_the_refined_estimate_and_not_of_the_fused_one():
    memory = memory_of_two()
    refined_by(memory, 0.1)
    offset_mm = predict(memory, TWO_PEOPLE, 0.08).tracks.offset_mm

    assert offset_mm.shape == (2, 25, 3)
    np.testing.assert_allclose(offset_mm, 30 + NEW_CORRECTION_SHARE * (130 - 30))


def test_a_joint_that_coarse_does_not_see_stays_with_the_body():
    raised = detections(LEFT, RIGHT, off_mm=np.array([0, -200, 0]))
    prediction = predict(memory_of_two(), with_joint_score(raised, 15, 0.0), 0.5)
    moved_mm = prediction.propagated.rel_mm - REFINED.rel_mm
    others_mm = np.delete(moved_mm, 15, axis=1)

    np.testing.assert_allclose(moved_mm[:, 15], 0, atol=1e-9)
    expected_mm = np.broadcast_to([0, -200, 0], others_mm.shape)
    np.testing.assert_allclose(others_mm, expected_mm, atol=1)
