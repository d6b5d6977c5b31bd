"""Facts about belief: how far a joint follows `coarse`, and how answers are weighed against those before them."""

from dataclasses import replace

import numpy as np
import pytest

from models.records import Stage
from models.reuse.carrying import FOLLOW_DEPTH_S, FOLLOW_S, FORGET_S
from models.reuse.learning import NEW_SHARE
from models.reuse.memory import Memory
from tests.models.reuse.bodies import ALTERNATING, DEEP, HERE, PICTURE, THERE, asked, doubted, knowing, looks


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


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize(("score", "share"), [(0.9, 0.9), (0.4, 0.45), (0.0, LEAST)])
def test_coarse_answers_are_weighed_against_those_before_them(score, share, deep):
    memory, before, now = Memory(), looks(HERE, THERE), doubted(HERE, THERE, score=score, off_mm=100)
    only_coarse(memory, before, 0.0, deep=deep)
    recall, settled = only_coarse(memory, now, 0.04, deep=deep)

    np.testing.assert_allclose(settled.rel_mm, before.rel_mm + share * (now.rel_mm - before.rel_mm))
    assert not recall.has.any()
    assert recall.due.tolist() == [score > 0 or not deep] * 2  # hidden from head to toe: not worth a look


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
    hidden, lifted = 15, looks(HERE, THERE, off_mm=np.array([0, -200, 0]))
    lifted.joint_scores[:, hidden] = 0.0
    recall = asked(knowing(), lifted, 0.5)
    moved_mm = recall.carried.rel_mm - DEEP.rel_mm

    np.testing.assert_allclose(moved_mm[:, hidden], 0, atol=1e-9)
    np.testing.assert_allclose(np.delete(moved_mm, hidden, 1), np.broadcast_to([0, -200, 0], (2, 24, 3)), atol=1)
