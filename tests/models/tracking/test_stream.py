"""Facts about a stream: ids, smoothing, memory and time over its frames."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from posecascade.models.options import Quality
from posecascade.models.records import Camera, Stage
from posecascade.models.tracking.stream import DEFAULT_FPS, Stream, StreamState
from tests.doubles import FakeCascade
from tests.models.lab.evaluation.crowd import FOCAL_PX, SIZE_WH_PX
from tests.models.lab.evaluation.stages import cascade_of, scene
from tests.models.tracking.reuse.bodies import IMAGE, detections, run_frame
from tests.standing import frame_of, standing

BLANK = np.zeros((48, 64, 3), np.uint8)


def followed(state, frame, captured_s, received_s):
    state.begin(captured_s, received_s)
    return state.follow(frame)


def people_by_id(state, *roots_mm, time_s):
    frame = frame_of(*(standing(root_mm) for root_mm in roots_mm))
    answer = followed(state, frame, time_s, time_s)
    return {person.id: person for person in answer.people}


def test_people_keep_their_order_and_gain_ids_and_velocities():
    state = StreamState()
    for number in range(60):
        walker_mm = (-900 + 600 * number / 30, 0, 4000)
        people = people_by_id(state, walker_mm, (900, 0, 5000), time_s=number / 30)
        assert list(people) == [0, 1]

    np.testing.assert_allclose(people[0].velocity_mm_s, [600, 0, 0], atol=60)
    np.testing.assert_allclose(people[1].velocity_mm_s, 0, atol=5)


def test_everything_but_pose_id_and_velocity_is_left_alone():
    before = standing()
    (after,) = followed(StreamState(), frame_of(before), 0.0, 0.0).people

    assert after.stage == before.stage
    assert after.stop == before.stop
    assert after.score == before.score


def test_after_forgetting_everyone_is_new():
    state = StreamState()
    people_by_id(state, (0, 0, 4000), time_s=0.0)
    state.forget()

    assert list(people_by_id(state, (0, 0, 4000), time_s=0.1)) == [1]


def test_a_clip_wound_back_is_a_new_scene():
    state = StreamState()
    people_by_id(state, (0, 0, 4000), time_s=5.0)
    frame = followed(state, frame_of(standing((0, 0, 4000))), 0.0, 5.1)

    assert [person.id for person in frame.people] == [1]


def test_an_empty_frame_stays_empty():
    assert followed(StreamState(), frame_of(), None, 0.0).people == ()


def test_the_memory_is_set_to_the_time_and_forgets_with_the_stream():
    state = StreamState()
    person = detections((0, 0, 4000))
    run_frame(state.begin(5.0, 5.0), person, person)
    next_memory = state.begin(5.04, 5.04)
    assert next_memory.predict(IMAGE, person, None).has.all()

    wound_back = state.begin(0.0, 5.1)
    assert wound_back is next_memory
    assert not wound_back.predict(IMAGE, person, None).has.any()


def test_ids_last_over_the_frames_and_one_memory_serves_them_all():
    cascade = FakeCascade(people=2)
    frames = list(Stream(cascade).frames([BLANK] * 4))

    ids = [[person.id for person in frame.people] for frame in frames]
    assert ids == [[0, 1]] * 4
    assert cascade.memories[0] is not None
    assert all(memory is cascade.memories[0] for memory in cascade.memories)


def test_two_streams_share_a_cascade_and_no_memory():
    cascade = FakeCascade()
    for stream in (Stream(cascade), Stream(cascade)):
        stream.frame(BLANK, 0.0)

    assert cascade.memories[0] is not cascade.memories[1]


def test_options_reach_the_cascade_and_quality_may_be_a_plain_word():
    cascade = FakeCascade()
    Stream(cascade, quality="fast", max_people=1).frame(BLANK, 0.0)
    (options,) = cascade.requested

    assert options.quality is Quality.FAST
    assert options.max_people == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"quality": "fastest"}, ValueError, "fastest"),
        ({"max_people": 0}, ValueError, "max_people"),
        ({"fps": 30}, TypeError, "fps"),
    ],
)
def test_a_wrong_option_is_refused_before_the_first_frame(options, error, message):
    with pytest.raises(error, match=message):
        Stream(FakeCascade(), **options)


def test_it_does_what_the_state_and_the_cascade_do_by_hand():
    roots_mm = [(0, 0, 4000), (30, 0, 4100), (90, 0, 3900)]
    cascade = PlayedBack([frame_of(standing(root_mm)) for root_mm in roots_mm])
    state = StreamState()
    frames = Stream(cascade).frames((0.1 * n, BLANK) for n in range(3))

    for number, (root_mm, frame) in enumerate(zip(roots_mm, frames, strict=True)):
        time_s = 0.1 * number
        expected = people_by_id(state, root_mm, time_s=time_s)[0]
        (person,) = frame.people
        np.testing.assert_array_equal(person.pose.joints_mm, expected.pose.joints_mm)
        np.testing.assert_array_equal(person.velocity_mm_s, expected.velocity_mm_s)


def test_a_pause_in_the_timestamps_makes_everyone_new():
    stream = Stream(FakeCascade(people=1))
    ids = [stream.frame(BLANK, time_s).people[0].id for time_s in (0.0, 0.1, 60.0)]

    assert ids == [0, 0, 1]


def test_refined_estimates_are_reused(tmp_path):
    cascade = cascade_of(scene(tmp_path, [1]))
    width, height = SIZE_WH_PX
    camera = Camera(FOCAL_PX, FOCAL_PX, width / 2, height / 2)
    image = np.zeros((height, width, 3), np.uint8)
    stream = Stream(cascade, quality="best", camera=camera, reuse_target_mm=50)
    frames = list(stream.frames([image] * 12))

    reused = [person.reused_frames for frame in frames for person in frame.people]
    assert len(reused) == 12
    assert max(reused) > 1
    assert cascade.runners[Stage.EXPERT].items != [1] * 12


class PlayedBack:
    """A cascade that answers with these frames, one after the other."""

    def __init__(self, frames):
        self._frames = iter(frames)

    def predict(self, image_bgr, options, *, memory):
        return next(self._frames)


def written(path, count, fps):
    size_wh = (64, 48)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size_wh)
    for number in range(count):
        writer.write(np.full((48, 64, 3), 40 * number, np.uint8))
    writer.release()
    return path


class Recorder(Stream):
    """A stream that notes the images and times of its frames."""

    def __init__(self):
        super().__init__(FakeCascade(people=1))
        self.times_s = []
        self.levels = []

    def frame(self, image_bgr, time_s):
        self.times_s.append(time_s)
        self.levels.append(image_bgr.mean())
        assert image_bgr.shape == (48, 64, 3)
        return super().frame(image_bgr, time_s)


@pytest.mark.parametrize("as_type", [str, lambda path: path])
def test_a_file_is_decoded_with_the_times_of_its_frames(tmp_path, as_type):
    stream = Recorder()
    path = written(tmp_path / "clip.mp4", count=6, fps=10)
    frames = list(stream.frames(as_type(path)))

    assert len(frames) == 6
    np.testing.assert_allclose(stream.times_s, np.arange(6) / 10, atol=1e-6)
    # MPEG-4 stores YCbCr of limited range.
    np.testing.assert_allclose(stream.levels, 40 * np.arange(6), atol=8)


def test_images_without_times_have_the_frame_rate():
    default = Recorder()
    slow = Recorder()
    list(default.frames([BLANK] * 3))
    list(slow.frames([BLANK] * 3, fps=2))

    np.testing.assert_allclose(default.times_s, np.arange(3) / DEFAULT_FPS)
    assert slow.times_s == [0.0, 0.5, 1.0]


def test_pairs_keep_their_times():
    stream = Recorder()
    list(stream.frames([(3.0, BLANK), (3.7, BLANK)]))

    assert stream.times_s == [3.0, 3.7]


def test_frames_are_read_as_they_are_wanted():
    def camera():
        yield BLANK
        raise AssertionError("read ahead")

    assert len(next(Stream(FakeCascade(people=1)).frames(camera())).people) == 1


def test_what_is_no_video_is_refused(tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("no video")

    with pytest.raises(ValueError, match=r"notes\.mp4 cannot be read as a video"):
        list(Stream(FakeCascade()).frames(text))
    with pytest.raises(FileNotFoundError, match="gone"):
        list(Stream(FakeCascade()).frames(tmp_path / "gone.mp4"))


def test_it_is_imported_without_torch_and_without_the_service():
    code = (
        "import sys; from posecascade import Stream; "
        "print([name for name in sys.modules if name.split('.')[0] == 'torch' "
        "or name.startswith('posecascade.service')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"
