"""Facts about the messages of a stream."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.service.errors import BadImage, BadParameter, PoseCascadeError
from posecascade.service.wire.stream_messages import (
    Ack,
    Flow,
    Ping,
    Set,
    Start,
    Stop,
    client_message,
    frame_message,
    frame_of,
    start_of,
)


@given(
    st.binary(max_size=40),
    st.integers(0, 2**32 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**16 - 1),
)
def test_a_frame_and_its_header_come_back(image, frame_id, captured_s, read):
    frame = frame_of(
        frame_message(
            image, frame_id=frame_id, captured_s=captured_s, answers_read=read
        )
    )

    assert (frame.image, frame.frame_id, frame.captured_s, frame.answers_read()) == (
        image,
        frame_id,
        captured_s,
        read,
    )


def test_the_header_is_twenty_little_endian_bytes():
    assert (
        frame_message(b"", frame_id=258, captured_s=1.0)
        == b"PCF1\x02\x01\0\0\0\0\0\0\0\0\xf0?\0\0\0\0"
    )


def test_bytes_without_the_magic_are_the_image():
    assert frame_of(b"\xff\xd8\xff\xe0").image == b"\xff\xd8\xff\xe0"
    assert frame_of(b"\xff\xd8\xff\xe0").frame_id is None


@given(st.integers(4, 19))
def test_a_frame_that_ends_in_its_header_is_a_bad_image(length):
    with pytest.raises(BadImage, match=f"20 bytes of header, got {length} in all"):
        frame_of(frame_message(b"", frame_id=0, captured_s=0.0)[:length])


@pytest.mark.parametrize(
    ("captured_s", "flags", "named"),
    [
        (float("nan"), 0, "capture_time_s"),
        (float("inf"), 0, "capture_time_s"),
        (0.0, 1 << 16, "flags"),
    ],
)
def test_a_header_that_means_nothing_is_refused_by_name(captured_s, flags, named):
    frame = frame_of(struct.pack("<4sIdI", b"PCF1", 7, captured_s, flags))
    with pytest.raises(BadParameter) as error:
        frame.answers_read()
    assert (error.value.parameter, frame.frame_id) == (named, 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "start"}', Start()),
        (
            '{"type": "start", "settings": {"quality": "fast"}, "window": 3, "acks": true}',
            Start(settings={"quality": "fast"}, window=3, acks=True),
        ),
        ('{"type": "set", "settings": {"price": null}}', Set(settings={"price": None})),
        ('{"type": "ping", "t": 1.5}', Ping(t=1.5)),
        ('{"type": "ping"}', Ping()),
        ('{"type": "ack", "frame_id": 7}', Ack(frame_id=7)),
        ('{"type": "stop"}', Stop()),
    ],
)
def test_each_message_is_read(text, message):
    assert client_message(text) == message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "message"),
        ("{", "message"),
        ("[]", "message"),
        ("7", "message"),
        ("null", "message"),
        ("{}", "type"),
        ('{"type": "shout"}', "type"),
        ('{"type": null}', "type"),
        ('{"type": []}', "type"),
        ('{"type": "start", "window": 0}', "window"),
        ('{"type": "start", "window": 17}', "window"),
        ('{"type": "start", "window": true}', "window"),
        ('{"type": "start", "mode": "slow"}', "mode"),
        ('{"type": "start", "acks": "yes"}', "acks"),
        ('{"type": "start", "fps": 3}', "fps"),
        ('{"type": "set"}', "settings"),
        ('{"type": "set", "settings": []}', "settings"),
        ('{"type": "ack"}', "frame_id"),
        ('{"type": "ack", "frame_id": -1}', "frame_id"),
        ('{"type": "ack", "frame_id": 4294967296}', "frame_id"),
        ('{"type": "ack", "frame_id": 1.5}', "frame_id"),
        ('{"type": "ping", "t": NaN}', "t"),
        ('{"type": "stop", "now": 1}', "now"),
    ],
)
def test_a_broken_message_is_refused_by_the_name_of_what_is_wrong(text, named):
    with pytest.raises(BadParameter) as error:
        client_message(text)
    assert error.value.parameter == named


@given(st.text(max_size=60))
def test_no_text_does_worse_than_be_refused(text):
    with pytest.raises(PoseCascadeError):
        client_message(text)


@pytest.mark.parametrize(
    "settings",
    [
        {"quality": "fast", "mode": "file", "window": "3", "acks": "true"},  # a query
        {"quality": "fast", "mode": "file", "window": 3, "acks": True},
    ],
)
def test_pacing_may_stand_among_the_settings(settings):
    assert start_of(settings) == Start(
        settings={"quality": "fast"}, mode="file", window=3, acks=True
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", "99"), ("window", "two"), ("mode", "slow"), ("acks", "1")],
)
def test_pacing_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises(BadParameter) as error:
        start_of({name: value})
    assert error.value.parameter == name


def test_what_a_start_leaves_out_stays():
    assert Flow("file", 3, True).changed(Start()) == Flow("file", 3, True)
    assert Flow("file", 3, True).changed(
        Start(mode="live", window=1, acks=False)
    ) == Flow("live", 1, False)
