"""Facts about the memory of one stream: who is who, what is carried, and what is forgotten."""

from dataclasses import replace

import numpy as np
import pytest

from models.looks import Looks
from models.records import Stage
from models.reuse.known import Known
from models.reuse.memory import Memory
from tests.models.reuse.bodies import ALTERNATING, DEEP, HERE, PICTURE, THERE, asked, knowing, look_deeper, looks


def test_everybody_is_new_to_a_new_memory():
    recall = asked(Memory(), looks(HERE, THERE), 0.0)

    assert recall.due.all()
    assert not recall.has.any()
    assert recall.past.age_s.tolist() == [10.0, 10.0]


def test_still_people_are_carried_where_the_deep_look_had_them():
    recall = asked(knowing(), looks(HERE, THERE), 0.04)

    assert recall.has.tolist() == [True, True]
    assert not recall.due.any()
    assert recall.stages() == [Stage.EXPERT] * 2
    assert recall.frames.tolist() == [1, 1]
    np.testing.assert_allclose(recall.carried.rel_mm, DEEP.rel_mm)
    np.testing.assert_allclose(recall.past.age_s, 0.04)


def test_the_order_of_the_people_does_not_matter():
    recall = asked(knowing(), looks(THERE, HERE), 0.04)

    assert recall.owner.tolist() == [1, 0]


def test_the_carried_pose_follows_the_coarse_motion():
    memory, lifted = knowing(), looks(HERE, THERE, off_mm=np.array([0, -200, 0]))
    for frame in range(1, 4):
        recall = look_deeper(memory, lifted, DEEP, 0.2 * frame)

    np.testing.assert_allclose(recall.carried.rel_mm, DEEP.rel_mm + [0, -200, 0], atol=1)


def test_without_carrying_the_body_is_held_but_goes_where_the_person_goes():
    memory = knowing(replace(ALTERNATING, carry=False))
    moved = looks((-780, 0, 4000), (820, 0, 4000), off_mm=np.array([0, -200, 0]))
    recall = asked(memory, moved, 0.04)

    np.testing.assert_allclose(recall.carried.rel_mm, DEEP.rel_mm)
    np.testing.assert_allclose(recall.carried.joints_px, moved.joints_px, atol=1)


def test_a_cut_makes_everyone_new():
    other = np.random.default_rng(1).integers(0, 255, PICTURE.shape, dtype=np.uint8)

    assert not asked(knowing(), looks(HERE, THERE), 0.04, other).has.any()
    assert asked(knowing(), looks(HERE, THERE), 0.04, PICTURE // 2).has.all()


def test_most_people_strange_is_a_cut_too():
    recall = asked(knowing(), looks((0, 0, 8000), (2500, 0, 6000), HERE), 0.04)
    assert recall.has.tolist() == [False, False, True]

    gone = asked(knowing(), looks((0, 0, 9000), (300, 0, 9000), (3000, 0, 9000)), 0.04)
    assert not gone.has.any()


def test_who_comes_out_from_behind_somebody_is_asked_afresh():
    memory = Memory(ALTERNATING)
    hidden = looks((0, 0, 5000), (60, 0, 4000))
    look_deeper(memory, hidden, hidden, 0.0)
    recall = asked(memory, looks((0, 0, 5000), (900, 0, 4000)), 0.1)

    assert recall.owner[0] == 0
    assert not recall.has[0]


def test_a_second_find_that_is_gone_again_uncovers_nobody():
    memory, alone = Memory(ALTERNATING), looks((0, 0, 5000), (2000, 0, 5000))
    look_deeper(memory, alone, alone, 0.0)
    look_deeper(memory, alone, alone, 0.04)
    for frame in (2, 3, 4):
        doubled = looks((0, 0, 5000), (2000, 0, 5000), (300, 0, 4000))
        recall = look_deeper(memory, doubled if frame == 4 else alone, doubled if frame == 4 else alone, 0.04 * frame)

    assert recall.due.tolist() == [True, True, False]  # the fourth frame, in which somebody covers the first
    assert asked(memory, alone, 0.2).has.all()


def test_a_turn_that_lasts_is_asked_afresh_and_a_single_mixed_up_look_is_not():
    memory = knowing()
    turned = looks(HERE, THERE, turn_deg=100)

    assert look_deeper(memory, turned, DEEP, 0.04).has.all()
    assert not look_deeper(memory, turned, DEEP, 0.08).has.any()


def test_nobody_is_known_after_a_pause():
    assert not asked(knowing(), looks(HERE, THERE), 0.6).has.any()


def test_who_was_missed_for_a_frame_is_still_known():
    memory = knowing()
    look_deeper(memory, looks(HERE), looks(HERE), 0.04)

    assert asked(memory, looks(HERE, THERE), 0.08).has.all()


def test_to_forget_is_to_be_new():
    memory = knowing()
    memory.forget()

    assert not asked(memory, looks(HERE, THERE), 0.04).has.any()


def test_asking_changes_nothing():
    memory = knowing()
    first, again = (asked(memory, looks(HERE, THERE), 0.04) for _ in range(2))

    np.testing.assert_array_equal(first.carried.rel_mm, again.carried.rel_mm)
    assert first.frames.tolist() == again.frames.tolist()


def test_without_deep_looks_only_the_past_is_told():
    memory = knowing()
    memory.begin(0.04)
    recall = memory.recall(PICTURE, looks(HERE, THERE), None, deep=False)

    assert not recall.has.any()
    np.testing.assert_allclose(recall.past.age_s, 0.04)


def test_speed_and_change_are_in_sizes_of_the_body():
    memory = Memory(ALTERNATING)
    for frame in range(12):
        walking = looks((-800 + 40.0 * frame, 0, 4000))
        recall = look_deeper(memory, walking, walking, 0.04 * frame)
    size = np.sqrt(np.prod(np.ptp(walking.joints_px[0], axis=0)))

    assert recall.past.speed[0] == pytest.approx(600 * 40 / 4000 / 0.04 / size, rel=0.3)
    assert recall.past.change[0] < 0.01


def test_a_look_of_no_numbers_is_forgotten_and_harms_nobody():
    memory = knowing()
    bad = looks(HERE, THERE)
    bad.rel_mm[0] = bad.joints_px[0] = bad.sigma_mm[0] = np.nan
    recall = look_deeper(memory, bad, bad, 0.04)
    assert recall.has.tolist() == [False, True]

    after = asked(memory, looks(HERE, THERE), 0.08)
    assert np.isfinite(after.carried.rel_mm).all()
    assert np.isfinite(after.inputs).all()


def test_nobody_and_two_hundred_are_no_trouble():
    memory = Memory()
    nobody = Known.nobody().coarse
    assert len(look_deeper(memory, nobody, nobody, 0.0).due) == 0
    rng = np.random.default_rng(0)
    crowd = looks(*(tuple(rng.uniform([-9000, -500, 9000], [9000, 500, 20000])) for _ in range(200)))
    for frame in range(1, 4):
        recall = look_deeper(memory, crowd, crowd, 0.04 * frame)
    assert isinstance(recall.carried, Looks)
    assert int(recall.has.sum()) <= 64
    look_deeper(memory, nobody, nobody, 0.2)


def test_boxes_without_size_are_no_trouble():
    memory = Memory()
    point = replace(looks(HERE), joints_px=np.full((1, 25, 2), 100.0), root_depth_mm=np.zeros(1))
    for frame in range(3):
        recall = look_deeper(memory, point, point, 0.04 * frame)

    assert np.isfinite(recall.carried.joints_px).all()
    assert np.isfinite(recall.inputs).all()
