"""Videos of the disk: every frame once, at its time."""

import numpy as np
import pytest

from posecascade.service.errors import UnsupportedMedia
from posecascade.service.media.video import Video, VideoFile

SHADES = (30, 90, 150, 210)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoFile(path, fps=20) as file:
        for shade in SHADES:
            file.write(np.full((64, 96, 3), shade, np.uint8))
    return path


def test_frames_come_in_order_and_at_their_times(clip):
    with Video(clip) as video:
        frames = list(video)

    assert video.fps == pytest.approx(20)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.05, 0.1, 0.15])
    assert [frame.image_bgr.mean() for frame in frames] == pytest.approx(SHADES, abs=4)


def test_odd_sides_lose_a_pixel_since_the_codec_wants_even_ones(tmp_path):
    with VideoFile(tmp_path / "odd.mp4", fps=20) as file:
        file.write(np.zeros((65, 97, 3), np.uint8))

    with Video(tmp_path / "odd.mp4") as video:
        assert next(iter(video)).image_bgr.shape == (64, 96, 3)


def test_a_file_that_is_no_video_is_refused_by_name(tmp_path):
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(UnsupportedMedia, match=r"notes\.mp4"):
        Video(tmp_path / "notes.mp4")


def test_a_video_cut_off_before_its_index_is_refused(clip):
    clip.write_bytes(clip.read_bytes()[:-300])
    with pytest.raises(UnsupportedMedia):
        Video(clip)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        Video(tmp_path / "none.mp4")


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path):
    with (
        VideoFile(tmp_path / "absent" / "clip.mp4", fps=20) as file,
        pytest.raises(OSError, match="cannot write"),
    ):
        file.write(np.zeros((64, 96, 3), np.uint8))
