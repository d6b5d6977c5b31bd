"""The Python client against a real service."""

import socket
import threading
from contextlib import closing

import numpy as np
import pytest

from posecascade.models.records import Stage
from posecascade.service.client import Client, Refused, Unreachable
from posecascade.service.settings import Key
from tests.pictures import encoded, scene_bgr
from tests.service.live import JPEG, serving

SECRET = "open-sesame"


@pytest.fixture(scope="module")
def live():
    with serving() as live:
        yield live


@pytest.fixture
def client(live):
    return Client(live.url)


@pytest.fixture
def nowhere():
    """A URL at which nobody listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# ---- pictures ----


def test_a_path_and_its_bytes_have_the_same_people(client, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(JPEG)

    for picture in (path, str(path), JPEG):
        reply = client.poses(picture)
        assert [person.stage for person in reply.people] == [Stage.EXPERT, Stage.EXPERT]
        assert np.array(reply.people[0].joints_mm).shape == (25, 3)


def test_settings_are_sent(client):
    reply = client.poses(
        JPEG,
        quality="fast",
        max_people=1,
        skeleton="coco17",
        region=(0, 0, 64, 48),
        price=None,
    )

    assert [person.stage for person in reply.people] == [Stage.COARSE]
    assert len(reply.people[0].joints_px) == 17


def test_a_refusal_says_what_the_service_says(client):
    with pytest.raises(
        Refused,
        match=r"422 bad_parameter.*quality must be fast \| balanced \| best, got 'good'",
    ) as no:
        client.poses(JPEG, quality="good")

    assert (no.value.status, no.value.code) == (422, "bad_parameter")
    assert no.value.request_id


def test_a_broken_picture_is_refused(client):
    with pytest.raises(Refused, match="bad_image"):
        client.poses(JPEG[:100])


def test_a_missing_file_is_an_error_of_the_file(client):
    with pytest.raises(FileNotFoundError):
        client.poses("/nowhere/photo.jpg")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.poses(JPEG),
        lambda client: next(client.stream([JPEG])),
    ],
)
def test_where_nobody_listens_it_says_so(nowhere, ask):
    with pytest.raises(
        Unreachable, match=r"127\.0\.0\.1:\d+ does not answer: .*refused"
    ):
        ask(Client(nowhere))


def test_a_url_without_a_scheme_is_refused_at_once():
    with pytest.raises(
        ValueError, match="must start with http:// or https://, got 'localhost:8000'"
    ):
        Client("localhost:8000")


def test_the_key_is_sent_both_ways():
    with serving(keys=[Key(key=SECRET, name="me")]) as live:
        assert len(Client(live.url, key=SECRET).poses(JPEG).people) == 2
        assert len(list(Client(live.url, key=SECRET).stream([JPEG], mode="file"))) == 1
        for ask in (
            lambda: Client(live.url).poses(JPEG),
            lambda: next(Client(live.url).stream([JPEG])),
        ):
            with pytest.raises(Refused, match="401 unauthorized"):
                ask()


# ---- streams ----


def test_a_file_is_answered_frame_by_frame(client):
    answers = list(client.stream([JPEG] * 9, mode="file", fps=30, quality="fast"))

    assert [answer.frame.id for answer in answers] == list(range(9))
    assert {person.id for answer in answers for person in answer.people} == {0, 1}
    assert {person.stage for answer in answers for person in answer.people} == {
        Stage.COARSE
    }


def test_no_frames_have_no_answers(client):
    assert list(client.stream([], mode="file")) == []


def test_live_the_camera_is_never_held_up(live, client):
    coarse = live.cascade.runners[Stage.COARSE]
    sent = threading.Event()
    coarse.gate.clear()

    def camera():
        for _ in range(8):
            yield JPEG
        sent.set()

    def open_when_all_are_sent():
        sent.wait(5)
        coarse.gate.set()

    threading.Thread(target=open_when_all_are_sent).start()
    answers = list(client.stream(camera(), quality="fast"))

    assert answers[-1].frame.id == 7
    assert sum(answer.dropped for answer in answers) + len(answers) == 8


def test_a_broken_frame_is_told_and_the_others_are_answered(client):
    told = []
    answers = list(
        client.stream([JPEG, b"no picture", JPEG], mode="file", on_refused=told.append)
    )

    assert [answer.frame.id for answer in answers] == [0, 2]
    assert [(refused.frame_id, refused.code) for refused in told] == [
        (1, "unsupported_media")
    ]


def test_a_broken_frame_is_raised_where_nobody_asked_to_be_told(client):
    with pytest.raises(Refused, match="415 unsupported_media, frame 0"):
        list(client.stream([b"no picture"], mode="file"))


def test_a_setting_that_cannot_be_is_refused(client):
    with pytest.raises(Refused, match="policy must be"):
        list(client.stream([JPEG], policy="dice"))


def test_what_the_frames_raise_is_raised_where_the_answers_are_read(client):
    def camera():
        yield JPEG
        raise RuntimeError("the camera was unplugged")

    with pytest.raises(RuntimeError, match="unplugged"):
        list(client.stream(camera(), mode="file"))


def test_a_missing_file_among_the_frames_is_an_error_of_the_file(client):
    with pytest.raises(FileNotFoundError):
        list(client.stream([JPEG, "/nowhere/frame.jpg"], mode="file"))


def test_who_has_seen_enough_may_stop_reading(live, client):
    def camera():
        while True:
            yield JPEG

    for answer in client.stream(camera(), mode="file"):
        assert answer.frame.id == 0
        break

    live.until(lambda: live.measured("posecascade_streams_open") == 0)
    assert not [
        thread
        for thread in threading.enumerate()
        if thread.name == "posecascade-frames"
    ]


def test_a_service_that_shuts_down_is_said_to(live):
    with serving() as short:
        answers = Client(short.url).stream(iter(lambda: JPEG, None), mode="file")
        next(answers)
        short.shut_down()
        with pytest.raises(Unreachable, match="1012"):
            for _ in answers:
                pass


def test_large_frames_pass(client):
    big = encoded(scene_bgr(1920, 1080), "PNG")

    assert len(list(client.stream([big], mode="file"))) == 1
