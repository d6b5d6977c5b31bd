import cv2
import numpy as np
import pytest

from posecascade.export.frames import FRAMES_A_VIDEO, read_frames


def test_a_folder_gives_its_pictures_and_nothing_else(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 6, 3), 7, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")

    frames = list(read_frames([tmp_path]))

    assert [frame.shape for frame in frames] == [(4, 6, 3)]


def test_a_video_gives_a_few_frames(tmp_path):
    video = cv2.VideoWriter(
        str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (32, 16)
    )
    for _ in range(90):
        video.write(np.zeros((16, 32, 3), np.uint8))
    video.release()

    assert [frame.shape for frame in read_frames([tmp_path / "v.avi"])] == [
        (16, 32, 3)
    ] * FRAMES_A_VIDEO


@pytest.mark.parametrize("name", ["broken.jpg", "broken.mp4"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind")

    with pytest.raises(ValueError, match=name):
        list(read_frames([tmp_path / name]))


def test_no_frames_at_all_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="found none"):
        list(read_frames([tmp_path]))
