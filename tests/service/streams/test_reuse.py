"""Facts about deep looks in streams: each stream has a memory of its own, and single pictures have none."""

import pytest

from posecascade.models.tracking.reuse.memory import Memory
from tests.service.live import JPEG, serving


@pytest.fixture(scope="module")
def live():
    with serving() as live:
        yield live


@pytest.fixture
def given(live):
    """The memories that the cascade was given since."""
    live.cascade.memories.clear()
    live.cascade.requested.clear()
    return live.cascade.memories


def shown(talk, frames):
    for frame in range(frames):
        talk.send(frame, at_s=frame / 30)
        talk.hear("frame")


def test_all_frames_of_a_stream_have_one_memory_and_another_stream_another(live, given):
    for _ in range(2):
        with live.stream("mode=file&quality=fast") as talk:
            talk.hear("ready")
            shown(talk, 3)
    one = given[0]
    other = given[3]

    assert isinstance(one, Memory)
    assert given == [one] * 3 + [other] * 3
    assert one is not other


def test_a_single_picture_has_no_memory(live, given):
    live.http.post(
        "/v1/poses", content=JPEG, headers={"Content-Type": "image/jpeg"}
    ).raise_for_status()

    assert given == [None]


def test_the_target_changes_in_mid_stream(live, given):
    with live.stream("mode=file&quality=fast&reuse_target_mm=12") as talk:
        assert talk.hear("ready")["settings"]["reuse_target_mm"] == 12
        shown(talk, 1)
        talk.say("set", settings={"reuse_target_mm": 0})
        assert talk.hear("settings")["settings"]["reuse_target_mm"] == 0
        shown(talk, 1)
        talk.say("set", settings={"reuse_target_mm": -1})
        assert "reuse_target_mm" in talk.hear("error")["detail"]

    assert [options.reuse_target_mm for options in live.cascade.requested] == [12, 0]
