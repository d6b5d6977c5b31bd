"""Frames of videos, and pictures, as a labelled folder in which nobody is labelled: for tables that need no truth.

    python -m posecascade.models.lab.datasets.unlabelled PATH... --out FOLDER

Of a video every n-th frame is taken, n the largest that leaves `--frames` or more; `RUN` of them in a row count as one
moment, for what they show hangs together. A picture is a moment of its own. A folder stands for the pictures and videos
in it.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.errors import BrokenData
from posecascade.models.lab.datasets.pictures import read_picture

RUN: Final = 5
QUALITY: Final = 95
PICTURES: Final = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp"))
VIDEOS: Final = frozenset((".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"))


def write_unlabelled(folder: Path, paths: Sequence[Path], frames: int = 40) -> int:
    """Pictures and `labels.json`; returns how many pictures.

    Args:
        folder: made where it is not.
        paths: pictures, videos, and folders of both.
        frames: that each video gives at least, where it has as many; at most twice as many.

    Raises:
        BrokenData: something that cannot be read, a folder without pictures and videos, two videos of one name.
    """
    found = [path for given in paths for path in _in(given)]
    videos = [path for path in found if path.suffix.lower() not in PICTURES]
    pictures = [path for path in found if path.suffix.lower() in PICTURES]
    if len({video.stem for video in videos}) < len(videos):
        raise BrokenData(
            f"want videos of different names, got {', '.join(video.name for video in videos)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry for video in videos for entry in _of_video(folder, video, frames)]
    entries += [
        _of_picture(folder, picture, number) for number, picture in enumerate(pictures)
    ]
    (folder / "labels.json").write_text(
        json.dumps({"source": "nobody labelled", "images": entries}, indent=1) + "\n"
    )
    return len(entries)


def _in(path: Path) -> list[Path]:
    """The path, or the files that it stands for.

    Raises:
        BrokenData: no such file, or a folder with nothing of use.
    """
    if not path.exists():
        raise BrokenData(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    found = sorted(
        one
        for one in path.rglob("*")
        if one.suffix.lower() in PICTURES | VIDEOS and one.is_file()
    )
    if not found:
        raise BrokenData(f"{path}: no pictures or videos in it")
    return found


def _of_picture(folder: Path, picture: Path, number: int) -> dict[str, Any]:
    """A copy under a name of its own: folders may share names."""
    name = f"{number:05d}_{picture.name}"
    try:
        height, width = read_picture(picture).shape[:2]
    except ValueError as wrong:
        raise BrokenData(str(wrong)) from wrong
    shutil.copyfile(picture, folder / name)
    return _entry(name, width, height)


def _of_video(folder: Path, video: Path, least: int) -> Iterator[dict[str, Any]]:
    every = max(1, _count(video) // least)
    for number, picture in _each(video, every):
        height, width = picture.shape[:2]
        name = f"{video.stem}_{number:05d}.jpg"
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        yield _entry(name, width, height) | {
            "camera": video.stem,
            "frame": f"{video.stem}/{number // (every * RUN)}",
        }


def _entry(name: str, width: int, height: int) -> dict[str, Any]:
    return {
        "file": name,
        "width": width,
        "height": height,
        "people": [],
        "other_people_unlabelled": True,
    }


def _count(video: Path) -> int:
    """Frames that can be read: what a file claims of itself is often wrong.

    Raises:
        BrokenData: none.
    """
    capture = cv2.VideoCapture(str(video))
    try:
        count = 0
        while capture.grab():
            count += 1
    finally:
        capture.release()
    if not count:
        raise BrokenData(f"{video}: no video that can be read")
    return count


def _each(video: Path, every: int) -> Iterable[tuple[int, Image]]:
    """Number and picture of every n-th frame; one at a time, for a film does not fit in memory."""
    capture = cv2.VideoCapture(str(video))
    try:
        number = 0
        while capture.grab():
            if number % every == 0:
                read, picture = capture.retrieve()
                if not read:
                    return
                yield number, np.asarray(picture, np.uint8)
            number += 1
    finally:
        capture.release()


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--frames", type=int, default=40, help="of each video at least (default 40)"
    )
    args = parser.parse_args()
    sys.stdout.write(
        f"{args.out}: {write_unlabelled(args.out, args.paths, args.frames)} pictures\n"
    )


if __name__ == "__main__":
    main()
