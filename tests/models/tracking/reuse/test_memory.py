"""Facts about the memory of one stream: association, propagation over frames, and what is dropped."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.detections import Detections
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.settings import Reuse
from posecascade.models.tracking.reuse.tracks import Tracks
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
    run_frame_at,
)

ANOTHER_IMAGE = np.random.default_rng(1).integers(0, 255, IMAGE.shape, dtype=np.uint8)


def test_everybody_is_new_to_a_new_memory():
    prediction = predict(Memory(), TWO_PEOPLE, 0.0)

    assert prediction.needs_refresh.all()
    assert not prediction.has.any()
    assert prediction.temporal.age_s.tolist() == [10.0, 10.0]


def test_the_estimates_of_people_at_rest_stay_where_they_were():
    prediction = predict(memory_of_two(), TWO_PEOPLE, 0.04)

    assert prediction.has.tolist() == [True, True]
    assert not prediction.needs_refresh.any()
    assert prediction.stages() == [Stage.EXPERT] * 2
    assert prediction.frames.tolist() == [1, 1]
    np.testing.assert_allclose(prediction.propagated.rel_mm, REFINED.rel_mm)
    np.testing.assert_allclose(prediction.temporal.age_s, 0.04)


def test_the_order_of_the_people_does_not_matter():
    prediction = predict(memory_of_two(), detections(RIGHT, LEFT), 0.04)

    assert prediction.track_index.tolist() == [1, 0]


def test_the_propagated_pose_follows_the_coarse_motion():
    memory = memory_of_two()
    raised = detections(LEFT, RIGHT, off_mm=np.array([0, -200, 0]))
    for number in range(1, 4):
        prediction = run_frame_at(memory, 0.2 * number, raised, REFINED)

    expected_mm = REFINED.rel_mm + [0, -200, 0]
    np.testing.assert_allclose(prediction.propagated.rel_mm, expected_mm, atol=1)


def test_without_propagation_the_body_stays_and_its_place_follows():
    memory = memory_of_two(Reuse(propagate=False))
    moved = detections((-780, 0, 4000), (820, 0, 4000), off_mm=np.array([0, -200, 0]))
    propagated = predict(memory, moved, 0.04).propagated

    np.testing.assert_allclose(propagated.rel_mm, REFINED.rel_mm)
    np.testing.assert_allclose(propagated.joints_px, moved.joints_px, atol=1)


def test_a_cut_makes_everyone_new():
    assert not predict(memory_of_two(), TWO_PEOPLE, 0.04, ANOTHER_IMAGE).has.any()
    assert predict(memory_of_two(), TWO_PEOPLE, 0.04, IMAGE // 2).has.all()


def test_a_frame_in_which_most_people_are_new_is_a_cut():
    one_left = detections((0, 0, 8000), (2500, 0, 6000), LEFT)
    all_new = detections((0, 0, 9000), (300, 0, 9000), (3000, 0, 9000))

    has = predict(memory_of_two(), one_left, 0.04).has
    assert has.tolist() == [False, False, True]
    assert not predict(memory_of_two(), all_new, 0.04).has.any()


def test_an_estimate_from_behind_another_person_is_dropped_once_that_person_is_gone():
    memory = Memory(rule=EVERY_4)
    occluded = detections((0, 0, 5000), (60, 0, 4000))
    run_frame_at(memory, 0.0, occluded, occluded)
    prediction = predict(memory, detections((0, 0, 5000), (900, 0, 4000)), 0.1)

    assert prediction.track_index[0] == 0
    assert not prediction.has[0]


def test_a_duplicate_detection_that_disappears_again_disoccludes_nobody():
    memory = Memory(rule=EVERY_4)
    apart = detections((0, 0, 5000), (2000, 0, 5000))
    with_duplicate = detections((0, 0, 5000), (2000, 0, 5000), (300, 0, 4000))
    for number in range(4):
        run_frame_at(memory, 0.04 * number, apart, apart)
    prediction = run_frame_at(memory, 0.16, with_duplicate, with_duplicate)

    assert prediction.needs_refresh.tolist() == [True, True, False]
    assert predict(memory, apart, 0.2).has.all()


def test_a_rotation_must_last_two_frames_to_drop_an_estimate():
    memory = memory_of_two()
    rotated = detections(LEFT, RIGHT, turn_deg=100)

    assert run_frame_at(memory, 0.04, rotated, REFINED).has.all()
    assert not run_frame_at(memory, 0.08, rotated, REFINED).has.any()


def test_everybody_is_new_after_a_pause():
    assert not predict(memory_of_two(), TWO_PEOPLE, 0.6).has.any()


def test_a_person_missed_in_one_frame_is_still_known():
    memory = memory_of_two()
    run_frame_at(memory, 0.04, detections(LEFT), detections(LEFT))

    assert predict(memory, TWO_PEOPLE, 0.08).has.all()


def test_everybody_is_new_after_forgetting():
    memory = memory_of_two()
    memory.forget()

    assert not predict(memory, TWO_PEOPLE, 0.04).has.any()


def test_a_prediction_changes_nothing():
    memory = memory_of_two()
    first = predict(memory, TWO_PEOPLE, 0.04)
    second = predict(memory, TWO_PEOPLE, 0.04)

    np.testing.assert_array_equal(first.propagated.rel_mm, second.propagated.rel_mm)
    assert first.frames.tolist() == second.frames.tolist()


def test_without_deep_stages_only_the_routing_features_are_predicted():
    memory = memory_of_two()
    memory.begin(0.04)
    prediction = memory.predict(IMAGE, TWO_PEOPLE, None, deep_allowed=False)

    assert not prediction.has.any()
    np.testing.assert_allclose(prediction.temporal.age_s, 0.04)


def test_speed_and_change_are_in_body_sizes():
    memory = Memory(rule=EVERY_4)
    for number in range(12):
        walking = detections((-800 + 40.0 * number, 0, 4000))
        prediction = run_frame_at(memory, 0.04 * number, walking, walking)
    size_px = np.sqrt(np.prod(np.ptp(walking.joints_px[0], axis=0)))
    speed_px_s = 600 * 40 / 4000 / 0.04

    speed = prediction.temporal.speed[0]
    assert speed == pytest.approx(speed_px_s / size_px, rel=0.3)
    assert prediction.temporal.change[0] < 0.01


def test_a_track_of_nan_is_dropped_and_harms_no_other():
    memory = memory_of_two()
    broken = detections(LEFT, RIGHT)
    for column in (broken.rel_mm, broken.joints_px, broken.sigma_mm):
        column[0] = np.nan
    prediction = run_frame_at(memory, 0.04, broken, broken)
    assert prediction.has.tolist() == [False, True]

    after = predict(memory, TWO_PEOPLE, 0.08)
    assert np.isfinite(after.propagated.rel_mm).all()
    assert np.isfinite(after.inputs).all()


def test_an_empty_frame_and_one_of_two_hundred_people_work():
    memory = Memory()
    nobody = Tracks.empty().coarse
    assert len(run_frame_at(memory, 0.0, nobody, nobody).needs_refresh) == 0
    rng = np.random.default_rng(0)
    roots_mm = [
        tuple(rng.uniform([-9000, -500, 9000], [9000, 500, 20000])) for _ in range(200)
    ]
    crowd = detections(*roots_mm)
    for number in range(1, 4):
        prediction = run_frame_at(memory, 0.04 * number, crowd, crowd)
    assert isinstance(prediction.propagated, Detections)
    assert int(prediction.has.sum()) <= 64

    after = run_frame_at(memory, 0.2, nobody, nobody)
    assert len(after.tracks) > 0


def test_a_body_of_no_size_gives_finite_numbers():
    memory = Memory()
    point = replace(
        detections(LEFT),
        joints_px=np.full((1, 25, 2), 100.0),
        root_depth_mm=np.zeros(1),
    )
    for number in range(3):
        prediction = run_frame_at(memory, 0.04 * number, point, point)

    assert np.isfinite(prediction.propagated.joints_px).all()
    assert np.isfinite(prediction.inputs).all()
