"""Facts about the time of a stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.tracking.clock import RESTART_S, StreamClock

STAMP = st.one_of(st.none(), st.floats(-1e9, 1e9))


@given(st.lists(st.tuples(STAMP, st.floats(0, 100)), min_size=1, max_size=30))
def test_time_goes_forward_whatever_the_stamps_do(frames):
    clock = StreamClock()
    received = 0.0
    times = []
    for stamp, wait in frames:
        received += wait
        times.append(clock.tick(stamp, received).time_s)

    assert all(later > earlier for earlier, later in pairwise(times))


def elapsed(*frames):
    clock = StreamClock()
    first, second = (clock.tick(*frame) for frame in frames)
    return second.time_s - first.time_s, second.new_scene


@pytest.mark.parametrize(
    ("frames", "seconds", "new_scene"),
    [
        (((5.0, 100.0), (5.04, 103.0)), 0.04, False),  # a clip processed slowly
        (((None, 100.0), (None, 100.5)), 0.5, False),  # no stamps: arrival
        (((0.0, 100.0), (0.0, 100.1)), 0.1, False),  # a client that sends zeros
        (((5.0, 100.0), (4.9, 100.1)), 0.1, False),  # slightly out of order
        (((5.0, 100.0), (None, 100.1)), 0.1, False),  # stamps that cease
        (((60.0, 100.0), (0.0, 100.1)), 0.1, True),  # wound back
        (((0.0, 100.0), (60.0, 100.1)), RESTART_S, True),  # a long pause
        (((None, 100.0), (None, 200.0)), RESTART_S, True),
    ],
)
def test_a_stamp_counts_while_it_tells_something(frames, seconds, new_scene):
    got, scene = elapsed(*frames)

    assert got == pytest.approx(seconds)
    assert scene is new_scene


def test_the_first_frame_is_a_new_scene():
    assert StreamClock().tick(3.0, 100.0).new_scene
