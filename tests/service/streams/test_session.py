"""Facts about a stream's memory."""

import numpy as np

from service.streams.session import Session
from tests.models.reuse.bodies import PICTURE, looked_deeper, looks
from tests.standing import frame_of, standing


def followed(session, frame, captured_s, received_s):
    session.begin(captured_s, received_s)
    return session.follow(frame)


def follow(session, *roots, at):
    frame = followed(session, frame_of(*(standing(root) for root in roots)), at, at)
    return {person.id: person for person in frame.people}


def test_people_keep_their_order_and_gain_ids_and_velocities():
    session, velocity = Session(), np.zeros(3)
    for frame in range(60):
        people = follow(session, (-900 + 600 * frame / 30, 0, 4000), (900, 0, 5000), at=frame / 30)
        assert list(people) == [0, 1]
        velocity = people[0].velocity_mm_s

    np.testing.assert_allclose(velocity, [600, 0, 0], atol=60)
    np.testing.assert_allclose(people[1].velocity_mm_s, 0, atol=5)


def test_what_the_cascade_said_besides_the_pose_is_left_alone():
    person, = followed(Session(), frame_of(standing()), 0.0, 0.0).people

    assert (person.stage, person.stop, person.score) == (standing().stage, standing().stop, standing().score)


def test_after_forgetting_everyone_is_new():
    session = Session()
    follow(session, (0, 0, 4000), at=0.0)
    session.forget()

    assert list(follow(session, (0, 0, 4000), at=0.1)) == [1]


def test_a_clip_wound_back_is_a_new_scene():
    session = Session()
    follow(session, (0, 0, 4000), at=5.0)
    frame = followed(session, frame_of(standing((0, 0, 4000))), 0.0, 5.1)

    assert [person.id for person in frame.people] == [1]


def test_an_empty_frame_is_followed_by_an_empty_frame():
    assert followed(Session(), frame_of(), None, 0.0).people == ()


def test_the_memory_is_told_the_time_and_forgets_with_the_session():
    session = Session()
    known = looks((0, 0, 4000))
    looked_deeper(session.begin(5.0, 5.0), known, known)
    again = session.begin(5.04, 5.04)
    assert again.recall(PICTURE, known, None).has.all()

    wound_back = session.begin(0.0, 5.1)
    assert wound_back is again
    assert not wound_back.recall(PICTURE, known, None).has.any()
