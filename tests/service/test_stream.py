"""`WS /v1/stream` through the real application, with a cascade that finds who the test wants."""

import json
import struct

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from posecascade.models.records import Stage
from posecascade.models.skeleton import BONES, JOINT_NAMES
from posecascade.service.settings import Key
from tests.service.live import JPEG, serving

KEYS = (
    Key(key="good-for-streams", name="cam", scopes=frozenset({"stream"})),
    Key(key="good-for-poses", name="web", scopes=frozenset({"poses"})),
    Key(key="slow-and-steady", name="slow", requests_per_s=0.001),
)


@pytest.fixture(scope="module")
def live():
    with serving() as live:
        yield live


@pytest.fixture
def coarse(live):
    """The first stage's runner, its gate open and its history forgotten."""
    runner = live.cascade.runners[Stage.COARSE]
    runner.seen.clear()
    while runner.began.acquire(blocking=False):
        pass
    yield runner
    runner.failing = None
    runner.gate.set()


# ---- beginning ----


def test_ready_comes_at_once_after_settings_in_the_query(live):
    with live.stream("quality=best&min_score=0.5&mode=file&window=3&acks=true") as talk:
        ready = talk.hear("ready")

    assert (ready["settings"]["quality"], ready["settings"]["min_score"]) == (
        "best",
        0.5,
    )
    assert (ready["mode"], ready["window"], ready["acks"]) == ("file", 3, True)
    assert ready["skeleton"]["joints"] == list(JOINT_NAMES)
    assert ready["skeleton"]["names"] == list(JOINT_NAMES)  # older clients read these
    assert ready["skeleton"]["bones"] == [list(bone) for bone in BONES]
    assert ready["limits"]["max_bytes"] == 16 * 2**20


def test_ready_comes_once_after_settings_in_a_start_message(live):
    with live.stream("") as talk:
        talk.say("start", settings={"quality": "fast", "skeleton": "coco17"}, window=1)
        ready = talk.hear("ready")
        talk.say("ping", t=1)

        assert talk.hear("pong")["t"] == 1
    assert (
        ready["settings"]["quality"],
        ready["skeleton"]["name"],
        ready["window"],
    ) == (
        "fast",
        "coco17",
        1,
    )


def test_who_says_nothing_is_greeted_too_and_may_still_start(live):
    with live.stream("") as talk:
        assert talk.hear("ready")["settings"]["quality"] == "balanced"
        talk.say("start", settings={"quality": "best"})

        assert talk.hear("ready")["settings"]["quality"] == "best"


def test_frames_may_come_without_a_start_and_are_greeted_first(live):
    with live.stream("") as talk:
        talk.send()
        talk.hear("ready")

        assert talk.answered_id() == 0


def test_a_start_after_the_first_frame_is_refused(live):
    with live.stream() as talk:
        talk.hear("ready")
        talk.send()
        talk.hear("frame")
        talk.say("start", settings={"quality": "best"})

        assert "before the first frame" in talk.hear("error")["detail"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        (["posecascade.v1"], "posecascade.v1"),
        (["chat", "posecascade.v1"], "posecascade.v1"),
        (["chat"], None),
    ],
)
def test_the_subprotocol_is_taken_where_it_is_offered(live, offered, chosen):
    with live.stream(subprotocols=offered) as talk:
        assert talk.socket.subprotocol == chosen


# ---- frames ----


def test_an_answer_is_that_of_a_picture_with_ids_and_age(live):
    picture = live.http.post(
        "/v1/poses?quality=fast", content=JPEG, headers={"Content-Type": "image/jpeg"}
    ).json()
    with live.stream() as talk:
        talk.hear("ready")
        talk.send(frame_id=41)
        answer = talk.hear("frame")

    assert set(answer) == set(picture) | {"type", "age_ms", "dropped"}
    assert answer["frame"] == picture["frame"] | {"id": 41}
    assert [person["id"] for person in answer["people"]] == [0, 1]
    for person, same in zip(answer["people"], picture["people"], strict=True):
        assert np.array(person["joints_mm"]) == pytest.approx(
            np.array(same["joints_mm"]), abs=0.2
        )
        assert person["velocity_mm_s"] == [0, 0, 0]
        assert set(person) == set(same) | {"velocity_mm_s"}
    assert answer["dropped"] == 0
    timing = answer["timing_ms"]
    assert answer["age_ms"] == pytest.approx(timing["total"], abs=0.01)
    assert sum(ms for part, ms in timing.items() if part != "total") == pytest.approx(
        timing["total"], abs=0.01
    )


def test_plain_frames_are_counted_from_zero_and_headers_name_their_own(live):
    with live.stream("mode=file") as talk:
        talk.hear("ready")
        for frame_id in (None, None, 100, None):
            talk.send(frame_id)

        assert [talk.answered_id() for _ in range(4)] == [0, 1, 100, 101]


def test_ids_last_until_a_reset(live):
    with live.stream("mode=file") as talk:
        talk.hear("ready")
        ids = []
        for frame_id in range(4):
            talk.send(frame_id, at_s=frame_id / 30)
            ids.append([person["id"] for person in talk.hear("frame")["people"]])
            if frame_id == 1:
                talk.say("reset")

    assert ids == [[0, 1], [0, 1], [2, 3], [2, 3]]


def test_live_the_newest_frame_wins_and_the_others_are_counted(live, coarse):
    with live.stream() as talk:
        talk.hear("ready")
        coarse.gate.clear()
        talk.send(0)
        assert coarse.began.acquire(timeout=5)
        for frame_id in range(1, 8):
            talk.send(frame_id)
        talk.say("ping")
        talk.hear("pong")  # all of them have been read
        coarse.gate.set()
        answers = [talk.hear("frame") for _ in range(2)]
        talk.say("stop")
        summary = talk.hear("summary")

    assert [(answer["frame"]["id"], answer["dropped"]) for answer in answers] == [
        (0, 0),
        (7, 6),
    ]
    assert (summary["received"], summary["answered"], summary["dropped"]) == (8, 2, 6)


def test_a_file_is_answered_frame_by_frame_however_fast_it_comes(live, coarse):
    with live.stream("mode=file&quality=fast") as talk:
        talk.hear("ready")
        coarse.gate.clear()
        for frame_id in range(12):
            talk.send(frame_id)
        coarse.gate.set()
        answers = [talk.hear("frame") for _ in range(12)]

    assert [answer["frame"]["id"] for answer in answers] == list(range(12))
    assert {answer["dropped"] for answer in answers} == {0}


def test_a_file_waits_out_an_overload_that_costs_a_live_stream_its_frame():
    with (
        serving(coarse_queue=1) as live,
        live.stream() as runs,
        live.stream() as waits,
        live.stream() as camera,
        live.stream("mode=file&quality=fast") as file,
    ):
        for talk in (runs, waits, camera, file):
            talk.hear("ready")
        coarse = live.cascade.runners[Stage.COARSE]
        coarse.gate.clear()
        runs.send()
        assert coarse.began.acquire(timeout=5)
        waits.send()
        live.until(
            lambda: live.measured('posecascade_stage_queue_items{stage="coarse"}') == 1
        )
        file.send()
        camera.send()
        refused = camera.hear("error")
        coarse.gate.set()

        assert (refused["code"], refused["frame_id"]) == ("overloaded", 0)
        assert file.answered_id() == 0


def test_with_acks_no_more_answers_than_the_window_go_unread(live, coarse):
    with live.stream("quality=fast&acks=true&window=2") as talk:
        talk.hear("ready")
        for frame_id in (0, 1):
            talk.send(frame_id)
            assert talk.answered_id() == frame_id
        talk.send(2)
        talk.send(3)
        talk.say("ping")
        talk.hear("pong")
        assert len(coarse.seen) == 2  # no more work for one who does not read
        talk.say("ack", frame_id=1)
        newest = talk.hear("frame")
        talk.send(4, read=1)  # the header acknowledges as well

        assert (newest["frame"]["id"], newest["dropped"]) == (3, 1)
        assert talk.answered_id() == 4


# ---- settings ----


def test_settings_change_between_frames_and_answers_follow(live):
    with live.stream("quality=fast&mode=file") as talk:
        talk.hear("ready")
        talk.send()
        assert {person["stage"] for person in talk.hear("frame")["people"]} == {
            "coarse"
        }
        talk.say(
            "set", settings={"quality": "best", "skeleton": "coco17", "max_people": 1}
        )
        now = talk.hear("settings")
        talk.send()
        answer = talk.hear("frame")

    assert now["settings"]["quality"] == "best"
    assert len(now["skeleton"]["joints"]) == 17
    assert [person["stage"] for person in answer["people"]] == ["expert"]
    assert len(answer["people"][0]["joints_mm"]) == 17


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"quality": "nope"}, "quality"),
        ({"budget_ms": -1}, "budget_ms"),
        ({"fps": 3}, "fps"),
        ({"policy": "dice"}, "policy"),
        ({"fov_deg": 50, "fx": 100}, "fov_deg"),
        ({"mode": "file"}, "mode"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_changes(live, settings, named):
    with live.stream("quality=fast") as talk:
        talk.hear("ready")
        talk.say("set", settings={"max_people": 1} | settings)
        error = talk.hear("error")
        talk.say("set", settings={})

        assert (error["code"], error["status"], error["parameter"]) == (
            "bad_parameter",
            422,
            named,
        )
        assert error["frame_id"] is None
        assert talk.hear("settings")["settings"]["max_people"] == 32


def test_null_takes_a_setting_back(live):
    with live.stream("price=3") as talk:
        talk.hear("ready")
        talk.say("set", settings={"price": None, "max_extra_error_mm": 5})

        assert talk.hear("settings")["settings"]["price"] is None


def test_a_region_outside_of_the_frame_is_an_error_of_that_frame(live):
    with live.stream("region=0,0,5000,10") as talk:
        talk.hear("ready")
        talk.send(7)
        error = talk.hear("error")

    assert (error["frame_id"], error["code"], error["parameter"]) == (
        7,
        "bad_parameter",
        "region",
    )


# ---- what goes wrong ----


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "empty_body"),
        (JPEG[:200], "bad_image"),
        (b"hello, this is no picture", "unsupported_media"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_media"),
    ],
)
def test_a_broken_frame_is_an_error_with_its_number_and_the_stream_lives_on(
    live, image, code
):
    with live.stream() as talk:
        talk.hear("ready")
        talk.send(5, image=image)
        error = talk.hear("error")
        talk.send(6)

        assert (error["frame_id"], error["code"]) == (5, code)
        assert talk.answered_id() == 6


@pytest.mark.parametrize(
    ("message", "frame_id", "code"),
    [
        (b"PCF1\0\0", None, "bad_image"),
        (struct.pack("<4sIdI", b"PCF1", 9, float("nan"), 0) + JPEG, 9, "bad_parameter"),
        (struct.pack("<4sIdI", b"PCF1", 9, 0.0, 1 << 20) + JPEG, 9, "bad_parameter"),
    ],
)
def test_a_broken_header_is_an_error_too(live, message, frame_id, code):
    with live.stream() as talk:
        talk.hear("ready")
        talk.socket.send(message)
        error = talk.hear("error")
        talk.send(10)

        assert (error["frame_id"], error["code"]) == (frame_id, code)
        assert talk.answered_id() == 10


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"type": "sing"}', '{"type": "ack"}', '{"type":"set"}']
)
def test_a_broken_message_is_an_error_and_the_stream_lives_on(live, text):
    with live.stream() as talk:
        talk.hear("ready")
        talk.socket.send(text)
        error = talk.hear("error")
        talk.say("ping", t="still there?")

        assert error["code"] == "bad_parameter"
        assert talk.hear("pong")["t"] == "still there?"


def test_a_stage_that_fails_costs_the_frame_and_not_the_stream(
    live, coarse, stage_failure
):
    with live.stream() as talk:
        talk.hear("ready")
        coarse.failing = RuntimeError("out of memory")
        talk.send(0)
        error = talk.hear("error")
        coarse.failing = None
        talk.send(1)

        assert (error["code"], error["status"], error["frame_id"]) == (
            "stage_down",
            503,
            0,
        )
        assert talk.answered_id() == 1


@pytest.mark.parametrize(
    "ws_max_size", [None, 2**20]
)  # the server's own limit, and ours behind a laxer one
def test_a_frame_over_the_limit_closes_with_1009(ws_max_size):
    with (
        serving(max_bytes=5000, ws_max_size=ws_max_size) as live,
        live.stream() as talk,
    ):
        talk.hear("ready")
        talk.socket.send(bytes(5021))
        code, reason = talk.hangup()

    assert code == 1009
    assert "5021" in reason


def test_a_text_over_the_limit_closes_with_1009(live):
    with live.stream() as talk:
        talk.hear("ready")
        talk.say("ping", t="x" * 70_000)

        assert talk.hangup()[0] == 1009


def flood(talk):
    while True:
        talk.say("ack", frame_id=0)


def test_a_flood_of_messages_closes_with_1008(live):
    with live.stream() as talk:
        talk.hear("ready")
        with pytest.raises(ConnectionClosed) as closed:
            flood(talk)

    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
        1008,
        "more than 200 messages a second",
    )


def test_nothing_but_nonsense_closes_in_the_end(live):
    with live.stream() as talk, live.stream() as other:
        talk.hear("ready")
        other.hear("ready")
        for _ in range(256):
            talk.socket.send("?")
            other.socket.send(b"PCF1")
        for _ in range(255):
            talk.hear("error")
            other.hear("error")

        assert talk.hangup()[0] == 1008
        assert other.hangup()[0] == 1003


# ---- ending ----


def test_stop_is_answered_by_a_summary_after_the_last_frame(live, coarse):
    with live.stream("quality=fast&mode=file") as talk:
        talk.hear("ready")
        coarse.gate.clear()
        talk.send(0, at_s=0.0)
        talk.send(1, at_s=0.1)
        talk.say("stop")
        coarse.gate.set()
        assert [talk.answered_id() for _ in range(2)] == [0, 1]
        summary = talk.hear("summary")

        assert talk.hangup()[0] == 1000
    assert (
        summary["received"],
        summary["answered"],
        summary["failed"],
        summary["people"],
    ) == (
        2,
        2,
        0,
        2,
    )
    assert summary["stages"] == {"coarse": 4}
    assert summary["age_ms_max"] >= summary["age_ms_mean"] > 0


def test_who_leaves_in_the_middle_of_a_frame_leaves_nothing_behind(live, coarse):
    with live.stream() as talk:
        talk.hear("ready")
        coarse.gate.clear()
        talk.send(0)
        assert coarse.began.acquire(timeout=5)
        talk.send(1)
    live.until(lambda: live.measured("posecascade_streams_open") == 0)
    coarse.gate.set()
    with live.stream() as talk:
        talk.hear("ready")
        talk.send(0)
        talk.hear("frame")

    assert len(coarse.seen) == 2  # frame 1 of the first was never run
    live.until(lambda: live.measured("posecascade_streams_open") == 0)


def test_shutdown_closes_with_1012():
    with serving() as live, live.stream() as talk:
        talk.hear("ready")
        live.shut_down()

        assert talk.hangup()[0] == 1012


def test_a_frame_that_comes_while_the_service_drains_ends_the_stream_with_1012():
    with serving(drain_s=1) as live, live.stream() as talk:
        talk.hear("ready")
        live.shut_down()
        live.until(lambda: live.http.get("/v1/health/ready").status_code == 503)
        talk.send()

        assert talk.hangup() == (1012, "the service is shutting down")


# ---- who may come in ----


def refusal(live, query="", **options):
    """Status, headers and problem of a handshake that fails."""
    with pytest.raises(InvalidStatus) as refused, live.stream(query, **options):
        pass
    response = refused.value.response
    return response.status_code, response.headers, json.loads(response.body)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("quality=nope", "quality"),
        ("window=0", "window"),
        ("mode=slow", "mode"),
        ("color=red", "color"),
        ("max_people=1&max_people=2", "max_people"),
    ],
)
def test_a_bad_query_is_refused_as_over_http(live, query, named):
    status, headers, problem = refusal(live, query)

    assert status == 422
    assert headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["parameter"]) == ("bad_parameter", named)
    assert headers["x-request-id"] == problem["request_id"]


@pytest.fixture(scope="module")
def guarded_service():
    with serving(
        keys=KEYS, allowed_origins=("https://lab.example",), max_streams=1
    ) as live:
        yield live


@pytest.fixture
def guarded(guarded_service):
    """With room for one stream."""
    guarded_service.until(
        lambda: guarded_service.measured("posecascade_streams_open") == 0
    )
    return guarded_service


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        ("", None, 401),
        ("key=guess", None, 401),
        ("", "Bearer guess", 401),
        ("key=good-for-poses", None, 403),
        ("", "Bearer good-for-poses", 403),
    ],
)
def test_without_a_key_for_streams_nobody_comes_in(guarded, query, header, status):
    headers = {} if header is None else {"Authorization": header}

    assert refusal(guarded, query, additional_headers=headers)[0] == status


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("key=good-for-streams", {}),
        ("", {"Authorization": "Bearer good-for-streams"}),
        ("key=good-for-streams", {"Origin": "https://lab.example"}),
        ("key=good-for-streams", {"Origin": "http://{host}"}),
    ],
)
def test_with_a_key_and_an_origin_that_is_known_one_comes_in(guarded, query, headers):
    headers = {name: value.format(host=guarded.host) for name, value in headers.items()}
    with guarded.stream(query, additional_headers=headers) as talk:
        talk.hear("ready")


def test_a_key_has_a_rate_of_streams_too(guarded):
    with guarded.stream("key=slow-and-steady") as talk:
        talk.hear("ready")
    status, headers, _ = refusal(guarded, "key=slow-and-steady")

    assert (status, headers["retry-after"]) == (429, "1000")


def test_one_stream_too_many_is_refused_with_503(guarded):
    with guarded.stream("key=good-for-streams") as talk:
        talk.hear("ready")
        status, headers, problem = refusal(guarded, "key=good-for-streams")

    assert (status, problem["code"]) == (503, "overloaded")
    assert headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("query", "origin", "code", "close"),
    [
        ("key=good-for-streams", "https://evil.example", "forbidden", 1008),
        ("key=guess", "https://lab.example", "unauthorized", 1008),
    ],
)
def test_a_browser_is_told_in_words_why_it_may_not(guarded, query, origin, code, close):
    with guarded.stream(query, origin=origin) as talk:
        assert talk.hear("error")["code"] == code
        assert talk.hangup()[0] == close


def test_a_browser_that_is_one_too_many_is_closed_with_1013(guarded):
    with guarded.stream("key=good-for-streams") as talk:
        talk.hear("ready")
        with guarded.stream(
            "key=good-for-streams", origin="https://lab.example"
        ) as browser:
            assert browser.hear("error")["code"] == "overloaded"
            assert browser.hangup()[0] == 1013
