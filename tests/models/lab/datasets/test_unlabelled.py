"""Facts about frames of videos that nobody labelled."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from posecascade.models.lab.datasets.errors import BrokenData
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.datasets.unlabelled import write_unlabelled


def video(path: Path, frames: int) -> Path:
    """Grey frames that grow brighter."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), number * 200 // frames, np.uint8))
    writer.release()
    return path


def test_every_nth_frame_of_each_video_is_a_picture_without_people(
    tmp_path: Path,
) -> None:
    written = write_unlabelled(
        tmp_path / "out",
        [video(tmp_path / "a.avi", 25), video(tmp_path / "b.avi", 4)],
        10,
    )
    frames = read_folder(tmp_path / "out").frames

    assert written == len(frames) == 13 + 4
    assert {frame.size_wh_px for frame in frames} == {(64, 48)}
    assert all(frame.people == () and not frame.everyone_labelled for frame in frames)
    assert [frame.moment for frame in frames[:6]] == ["a/0"] * 5 + ["a/1"]
    assert frames[6].image_bgr().mean() > frames[0].image_bgr().mean()


def test_what_is_no_video_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing")

    with pytest.raises(BrokenData, match=r"no.mp4: no video that can be read"):
        write_unlabelled(tmp_path / "out", [tmp_path / "no.mp4"])


def test_two_videos_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        video(tmp_path / name / "a.avi", 2)

    with pytest.raises(BrokenData, match="different names"):
        write_unlabelled(tmp_path / "out", [tmp_path / "x", tmp_path / "y"])


def test_pictures_of_one_name_in_two_folders_are_two_pictures_and_moments_of_their_own(
    tmp_path: Path,
) -> None:
    for name, shade in (("x", 10), ("y", 200)):
        (tmp_path / name).mkdir()
        cv2.imwrite(
            str(tmp_path / name / "a.png"), np.full((48, 64, 3), shade, np.uint8)
        )
    written = write_unlabelled(
        tmp_path / "out", [tmp_path / "x", tmp_path / "y" / "a.png"]
    )
    frames = read_folder(tmp_path / "out").frames

    assert written == 2
    assert [frame.image_bgr().mean() for frame in frames] == [10, 200]
    assert len({frame.path.name for frame in frames}) == 2
    assert [frame.moment for frame in frames] == ["", ""]


def test_folders_without_footage_and_broken_pictures_are_refused_by_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")

    for path, why in (
        ("empty", "no pictures or videos in it"),
        ("none", "no such file or folder"),
        ("broken.png", "truncated"),
    ):
        with pytest.raises(BrokenData, match=f"{path}.*{why}"):
            write_unlabelled(tmp_path / "out", [tmp_path / path])
