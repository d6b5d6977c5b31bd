"""Facts about the memory of one stream: what it carries, whom it asks for afresh, and what it forgets."""

from dataclasses import replace

import numpy as np
import pytest

from models.looks import Looks
from models.records import Stage
from models.reuse.carrying import FOLLOW_DEPTH_S, FOLLOW_S, FORGET_S
from models.reuse.deviation import INPUTS, Deviation
from models.reuse.known import Known
from models.reuse.learning import NEW_SHARE
from models.reuse.memory import SERVES, Memory
from models.reuse.settings import Reuse
from tests.models.reuse.bodies import PICTURE, look_deeper, looks

HERE, THERE = (-800, 0, 4000), (800, 0, 4000)
DEEP = looks(HERE, THERE, off_mm=30)
ALTERNATING = Reuse(clock=False, decide=False, every=4)


def asked(memory, coarse, at, picture=PICTURE):
    memory.begin(at)
    return memory.recall(picture, coarse, None)


def knowing(reuse=ALTERNATING):
    """A memory that has looked deeper at two people."""
    memory = Memory(reuse)
    look_deeper(memory, looks(HERE, THERE), DEEP, 0.0)
    return memory


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


def test_alternation_asks_on_each_nth_frame():
    memory, due = Memory(ALTERNATING), []
    for frame in range(9):
        due.append(look_deeper(memory, looks(HERE, THERE), DEEP, 0.04 * frame).due.all())

    assert due == [True, False, False, False] * 2 + [True]


def test_a_coin_asks_at_its_rate_and_says_the_same_again():
    def thrown():
        memory = Memory(Reuse(clock=False, decide=False, coin=0.3, seed=4))
        return [look_deeper(memory, looks(HERE, THERE), DEEP, 0.04 * frame).due.tolist() for frame in range(300)]

    first = thrown()
    assert np.mean(first) == pytest.approx(0.3, abs=0.05)
    assert first == thrown()


def looked_at(deep_of, frames=100):
    """How often a clock asks where the deep looks are these, by frame number."""
    memory = Memory(Reuse(clock=True, decide=False))
    return sum(look_deeper(memory, looks(HERE), deep_of(frame), 0.04 * frame).due.sum() for frame in range(frames))


def test_without_a_fitted_regressor_the_clock_stands_in_for_it():
    counts = []
    for reuse in (Reuse(), Reuse(clock=True, decide=False)):
        memory = Memory(reuse)
        counts.append([look_deeper(memory, looks(HERE), looks(HERE, off_mm=30), 0.04 * frame).due.tolist()
                       for frame in range(40)])

    assert counts[0] == counts[1]
    assert 0 < sum(map(sum, counts[0])) < 40


def test_the_clock_slows_down_where_poses_agree_and_not_where_they_do_not():
    agreeing = looked_at(lambda frame: looks(HERE, off_mm=30))
    quarrelling = looked_at(lambda frame: looks(HERE, off_mm=300.0 * np.random.default_rng(frame).normal(size=3)))

    assert agreeing <= 10
    assert quarrelling >= 2 * agreeing


DOUBTFUL = Deviation(tuple(0.0 for _ in INPUTS), 60.0, 20.0)


def expecting(memory, deviation, at, target_mm=None, **settings):
    memory.begin(at)
    return memory.recall(PICTURE, looks(HERE, THERE), deviation, target_mm=target_mm, **settings)


@pytest.mark.parametrize(("target_mm", "due"), [(None, True), (1.0, True), (200.0, False)])
def test_the_expected_deviation_decides_by_a_target_that_may_change_at_any_frame(target_mm, due):
    recall = expecting(knowing(Reuse()), DOUBTFUL, 0.04, target_mm)

    assert recall.due.tolist() == [due, due]
    assert recall.expected_mm.tolist() == [60.0, 60.0]


def growing(per_second_mm):
    """Expects deviations that grow by so much a second."""
    return Deviation((per_second_mm, *(0.0 for _ in INPUTS[1:])), 0.0, 20.0)


def held_for(deviation, target_mm, frames=400):
    """Frames that are answered by the look of before, and what is expected of each of the first run."""
    memory, extra = knowing(Reuse()), []
    for frame in range(1, frames):
        recall = expecting(memory, deviation, 0.004 * frame, target_mm)
        if recall.due.any():
            break
        extra.append(recall.extra_mm[0])
        memory.learn(recall, looks(HERE, THERE), recall.carried, [Stage.EXPERT] * 2, np.ones(2, bool))
    return len(extra), np.array([*extra, recall.extra_mm[0]])


@pytest.mark.parametrize("per_second_mm", [500.0, 2000.0, 8000.0])
def test_a_run_ends_where_the_mean_error_and_the_looks_price_are_least(per_second_mm):
    length, extra = held_for(growing(per_second_mm), 20.0)
    mean = (20.0 + np.cumsum(np.append(0.0, extra))) / np.arange(1, len(extra) + 2)  # of runs of 0, 1, 2, ... frames

    assert 0 < length < 300
    assert np.argmin(mean) == length


def test_who_changes_fast_may_be_off_by_more_and_who_changes_slowly_by_less():
    slow, fast = (held_for(growing(rate), 20.0)[1][-2] for rate in (500.0, 8000.0))

    assert fast > 1.5 * slow


def test_the_router_is_told_what_a_fresh_look_saves_a_frame_beyond_the_carried_one():
    memory = knowing(Reuse())
    for frame in (1, 2):
        recall = expecting(memory, growing(2000.0), 0.01 * frame, 1e6)
        memory.learn(recall, looks(HERE, THERE), recall.carried, [Stage.EXPERT] * 2, np.ones(2, bool))
    first, second = recall.spent_mm[0], recall.extra_mm[0]
    recall = expecting(memory, growing(2000.0), 0.03, 1e6)

    np.testing.assert_allclose(recall.past.saving_mm, (3 * recall.extra_mm - first - second) / SERVES)
    assert 0 < first < second


@pytest.mark.parametrize("settings", [{"deep": False}, {"alone": True}])
def test_nothing_is_saved_where_no_look_is_carried(settings):
    assert np.isinf(expecting(knowing(Reuse()), DOUBTFUL, 0.04, **settings).past.saving_mm).all()
    assert np.isinf(expecting(Memory(), DOUBTFUL, 0.04).past.saving_mm).all()


def test_nobody_is_spared_where_everybody_is_to_be_looked_at():
    recall = expecting(knowing(Reuse()), DOUBTFUL, 0.04, 1e6, spare=False)

    assert recall.due.all()
    assert recall.has.all()


def fresh(memory, answer, scores, at=0.04):
    """What is answered where a fresh look says `answer`, with these scores of its joints."""
    memory.begin(at)
    recall = memory.recall(PICTURE, looks(HERE, THERE), None)
    said = replace(answer, joint_scores=np.full_like(answer.joint_scores, scores))
    return recall, memory.learn(recall, looks(HERE, THERE), said, [Stage.EXPERT] * 2, np.zeros(2, bool))


LEAST = 1 - np.exp(-0.04 / FORGET_S)
"""Share of the newer look after a frame interval, of joints that are not believed at all."""


@pytest.mark.parametrize(("score", "share"), [(1.0, 0.9), (0.8, 0.9), (0.4, 0.45), (0.0, LEAST)])
def test_a_fresh_look_is_weighed_against_the_carried_one_by_how_far_its_joints_are_believed(score, share):
    elsewhere = looks(HERE, THERE, off_mm=130)
    recall, settled = fresh(knowing(), elsewhere, score)

    for name in ("rel_mm", "joints_px"):
        before, said = getattr(recall.carried, name), getattr(elsewhere, name)
        np.testing.assert_allclose(getattr(settled, name), before + share * (said - before))
    np.testing.assert_array_equal(settled.sigma_mm, elsewhere.sigma_mm)


def test_what_is_answered_is_what_is_carried_on():
    memory = knowing()
    _, settled = fresh(memory, looks(HERE, THERE, off_mm=130), 0.4)
    recall = memory.recall(PICTURE, looks(HERE, THERE), None)

    np.testing.assert_allclose(recall.carried.rel_mm, settled.rel_mm, atol=1e-6)


def only_coarse(memory, coarse, at, **settings):
    """What is answered where nobody gets a deep look."""
    memory.begin(at)
    recall = memory.recall(PICTURE, coarse, None, **settings)
    return recall, memory.learn(recall, coarse, coarse, [Stage.COARSE] * len(coarse), np.zeros(len(coarse), bool))


def doubted(*roots_mm, score, off_mm=0):
    coarse = looks(*roots_mm, off_mm=off_mm)
    return replace(coarse, joint_scores=np.full_like(coarse.joint_scores, score))


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize(("score", "share"), [(0.9, 0.9), (0.4, 0.45), (0.0, LEAST)])
def test_coarse_answers_are_weighed_against_those_before_them(score, share, deep):
    memory, before, now = Memory(), looks(HERE, THERE), doubted(HERE, THERE, score=score, off_mm=100)
    only_coarse(memory, before, 0.0, deep=deep)
    recall, settled = only_coarse(memory, now, 0.04, deep=deep)

    np.testing.assert_allclose(settled.rel_mm, before.rel_mm + share * (now.rel_mm - before.rel_mm))
    assert not recall.has.any()
    assert recall.due.all()


def test_whose_joints_are_not_believed_goes_where_the_body_goes():
    memory, walked = Memory(), (-760, 0, 4000)
    only_coarse(memory, looks(HERE), 0.0)
    settled = only_coarse(memory, doubted(walked, score=0.0), 0.04)[1]

    np.testing.assert_allclose(settled.joints_px, looks(walked).joints_px, atol=0.5)


def test_a_coarse_answer_is_not_weighed_against_a_deep_one():
    coarse = doubted(HERE, THERE, score=0.1)

    np.testing.assert_array_equal(only_coarse(knowing(), coarse, 0.04, deep=False)[1].rel_mm, coarse.rel_mm)


def test_a_frame_that_stands_alone_has_nothing_of_before():
    memory, coarse = Memory(), doubted(HERE, THERE, score=0.1, off_mm=100)
    only_coarse(memory, looks(HERE, THERE), 0.0)
    recall, settled = only_coarse(memory, coarse, 0.04, alone=True)
    assert recall.past.age_s.tolist() == [10.0, 10.0]
    np.testing.assert_array_equal(settled.rel_mm, coarse.rel_mm)

    known = knowing()
    known.begin(0.04)
    assert not known.recall(PICTURE, coarse, None, alone=True).has.any()


@pytest.mark.parametrize("memory", [Memory(ALTERNATING), knowing(replace(ALTERNATING, weigh=False))])
def test_a_look_at_a_stranger_and_one_that_is_not_to_be_weighed_stand_for_themselves(memory):
    elsewhere = looks(HERE, THERE, off_mm=130)

    np.testing.assert_array_equal(fresh(memory, elsewhere, 0.1)[1].rel_mm, elsewhere.rel_mm)


def test_the_carried_pose_follows_at_once_across_the_picture_and_slowly_in_depth():
    recall = asked(knowing(), looks(HERE, THERE, off_mm=np.array([100, 0, 100])), 0.04)
    across, down, deep = (recall.carried.rel_mm - DEEP.rel_mm)[0, 15]

    assert across == pytest.approx(100 * (1 - np.exp(-0.04 / FOLLOW_S)))
    assert down == pytest.approx(0)
    assert deep == pytest.approx(100 * (1 - np.exp(-0.04 / FOLLOW_DEPTH_S)))
    assert deep < across / 2


def test_half_a_belief_is_followed_a_quarter_as_far():
    believed, half = (asked(knowing(), doubted(HERE, THERE, score=score, off_mm=100), 0.04).carried.rel_mm - DEEP.rel_mm
                      for score in (0.8, 0.4))

    np.testing.assert_allclose(half, believed / 4)


def test_the_correction_is_that_of_the_look_itself_and_not_of_what_was_answered():
    memory = knowing()
    fresh(memory, looks(HERE, THERE, off_mm=130), 0.1)
    corrected_mm = asked(memory, looks(HERE, THERE), 0.08).known.offset_mm

    assert corrected_mm.shape == (2, 25, 3)
    np.testing.assert_allclose(corrected_mm, 30 + NEW_SHARE * (130 - 30))


def test_a_joint_that_coarse_does_not_believe_stays_with_the_body():
    doubted, lifted = 15, looks(HERE, THERE, off_mm=np.array([0, -200, 0]))
    lifted.joint_scores[:, doubted] = 0.0
    recall = asked(knowing(), lifted, 0.5)
    moved_mm = recall.carried.rel_mm - DEEP.rel_mm

    np.testing.assert_allclose(moved_mm[:, doubted], 0, atol=1e-9)
    np.testing.assert_allclose(np.delete(moved_mm, doubted, 1), np.broadcast_to([0, -200, 0], (2, 24, 3)), atol=1)


def test_a_cut_makes_everyone_new():
    other = np.random.default_rng(1).integers(0, 255, PICTURE.shape, dtype=np.uint8)

    assert not asked(knowing(), looks(HERE, THERE), 0.04, other).has.any()
    assert asked(knowing(), looks(HERE, THERE), 0.04, PICTURE // 2).has.all()


def test_most_people_strange_is_a_cut_too():
    recall = asked(knowing(), looks((0, 0, 8000), (2500, 0, 6000), HERE), 0.04)
    assert recall.has.tolist() == [False, False, True]

    gone = asked(knowing(), looks((0, 0, 9000), (300, 0, 9000), (3000, 0, 9000)), 0.04)
    assert not gone.has.any()


def test_a_new_person_is_asked_and_the_others_are_not():
    recall = asked(knowing(), looks(HERE, THERE, (0, 0, 6000)), 0.04)

    assert recall.due.tolist() == [False, False, True]


def test_who_comes_out_from_behind_somebody_is_asked_afresh():
    memory = Memory(ALTERNATING)
    hidden = looks((0, 0, 5000), (60, 0, 4000))
    look_deeper(memory, hidden, hidden, 0.0)
    recall = asked(memory, looks((0, 0, 5000), (900, 0, 4000)), 0.1)

    assert recall.owner[0] == 0
    assert not recall.has[0]


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
