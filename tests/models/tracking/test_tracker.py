"""Facts about identities over time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posecascade.models.tracking.tracker import MAX_COASTING, Tracker
from tests.standing import CAMERA, standing


def ids(tracker, roots, time_s, **pose):
    people = [standing(tuple(map(float, root)), **pose) for root in roots]
    return tracker.follow(people, CAMERA, time_s).ids.tolist()


def jittered(rng, roots, fps):
    """Depth errs by 4 %, along the ray; frame times by a fifth of a frame."""
    return [
        np.asarray(root) * (1 + rng.normal(scale=0.04)) for root in roots
    ], rng.normal(scale=0.2) / fps


@pytest.mark.parametrize("fps", [0.5, 1, 5, 30])
def test_people_who_stand_still_keep_their_ids_whatever_the_rate_and_order(fps):
    rng = np.random.default_rng(0)
    tracker = Tracker()
    roots = [
        (-900, 0, 3500),
        (-350, 0, 3600),
        (200, 0, 3500),
        (750, 0, 3600),
        (1200, 0, 5000),
        (0, 0, 6000),
    ]
    assert ids(tracker, roots, 0.0) == list(range(6))
    for frame in range(1, 200):
        order = rng.permutation(6)
        moved, late = jittered(rng, roots, fps)
        assert (
            ids(tracker, [moved[i] for i in order], frame / fps + late)
            == order.tolist()
        )


@pytest.mark.parametrize(("fps", "turn"), [(5, 0), (15, 60), (30, 90)])
def test_two_people_who_cross_at_different_depths_keep_their_ids(fps, turn):
    rng = np.random.default_rng(1)
    tracker = Tracker()
    for frame in range(int(4 * fps)):
        time = frame / fps
        left_to_right = (-2000 + 1000 * time, 0, 3500)
        right_to_left = (2000 - 1000 * time, 0, 4600)
        roots, _ = jittered(rng, [left_to_right, right_to_left], fps)
        assert ids(tracker, roots, time, turn_deg=turn) == [0, 1]


def test_a_person_hidden_for_a_second_keeps_their_id():
    tracker = Tracker()
    walk = [(-1000 + 800 * t, 0, 4000) for t in np.arange(0, 3.5, 0.1)]
    seen = [
        ids(tracker, [] if 15 <= frame < 25 else [root], frame / 10)
        for frame, root in enumerate(walk)
    ]

    assert seen[14] == seen[25] == [0]


def test_a_person_hidden_for_long_gets_a_new_id():
    tracker = Tracker()
    for frame in range(100):
        ids(tracker, [(0, 0, 4000)], frame / 30)
    for frame in range(100, 220):
        ids(tracker, [], frame / 30)

    assert ids(tracker, [(0, 0, 4000)], 220 / 30) == [1]


def test_a_newcomer_beside_someone_gets_a_new_id_at_once():
    tracker = Tracker()
    ids(tracker, [(0, 0, 4000)], 0.0)

    assert ids(tracker, [(900, 0, 4000), (10, 0, 4000)], 1 / 30) == [1, 0]


def test_a_runner_is_followed_from_the_first_two_frames():
    tracker = Tracker()

    assert [
        ids(tracker, [(-2000 + 7000 * frame / 30, 0, 5000)], frame / 30)
        for frame in range(15)
    ] == [[0]] * 15


def test_depth_may_jump_while_the_joints_in_the_image_stay():
    tracker = Tracker()
    ids(tracker, [(0, 0, 4000)], 0.0)
    near = standing((0.0, 0.0, 4000.0))
    far = standing((0.0, 0.0, 8000.0))
    jumped = type(near)(
        type(near.pose)(
            near.pose.joints_px,
            near.pose.joint_scores,
            near.pose.joints_rel_mm,
            near.pose.sigma_mm,
            far.pose.root_mm,
            120.0,
        ),
        0.9,
        near.box_xywh_px,
        near.stage,
        near.stop,
    )

    assert tracker.follow([jumped], CAMERA, 1 / 30).ids.tolist() == [0]


def test_ids_are_never_used_twice_even_after_forgetting():
    tracker = Tracker()
    ids(tracker, [(0, 0, 4000), (1000, 0, 4000)], 0.0)
    tracker.forget()

    assert ids(tracker, [(0, 0, 4000), (1000, 0, 4000)], 0.1) == [2, 3]


def test_the_rows_of_an_answer_lead_back_to_the_same_ids():
    tracker = Tracker()
    first = tracker.follow(
        [standing((-500, 0, 4000)), standing((500, 0, 4000))], CAMERA, 0.0
    )
    second = tracker.follow(
        [standing((1500, 0, 4000)), standing((500, 0, 4000))], CAMERA, 0.1
    )

    assert first.rows.tolist() == [-1, -1]
    assert second.ids.tolist() == [2, 1]
    assert second.rows.tolist() == [-1, 1, 0]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=30), st.integers(0, 99))
def test_no_id_is_given_twice_in_a_frame_and_the_table_stays_bounded(counts, seed):
    rng = np.random.default_rng(seed)
    tracker = Tracker()
    for frame, count in enumerate(counts):
        people = [
            standing(tuple(rng.uniform([-2000, -500, 2000], [2000, 500, 9000])))
            for _ in range(count)
        ]
        answer = tracker.follow(people, CAMERA, frame / 30)
        assert len(set(answer.ids.tolist())) == count
        assert len(answer.rows) <= count + MAX_COASTING
