"""Frames of videos as a labelled folder in which nobody is labelled: for tables that need no truth.

    python -m models.datasets.unlabelled VIDEO... --out FOLDER

The pictures are every n-th frame, n the largest that leaves `--frames` or more of each video; `RUN` of them in a row
count as one moment, for what they show hangs together.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.arrays import Image
from models.datasets.errors import BrokenData

RUN: Final = 5
QUALITY: Final = 95


def write_unlabelled(folder: Path, videos: Sequence[Path], frames: int = 40) -> int:
    """Pictures and `labels.json`; returns how many pictures.

    Args:
        folder: made where it is not.
        videos: of different names.
        frames: that each gives at least, where it has as many.

    Raises:
        BrokenData: a video that cannot be read, or two of one name.
    """
    if len({video.stem for video in videos}) < len(videos):
        raise BrokenData(f"want videos of different names, got {', '.join(video.name for video in videos)}")
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry for video in videos for entry in _written(folder, video, frames)]
    (folder / "labels.json").write_text(json.dumps({"source": "unlabelled videos", "images": entries}, indent=1) + "\n")
    return len(entries)


def _written(folder: Path, video: Path, least: int) -> Iterator[dict[str, Any]]:
    pictures = list(_frames(video))
    every = max(1, len(pictures) // least)
    for number in range(0, len(pictures), every):
        height, width = pictures[number].shape[:2]
        name = f"{video.stem}_{number:05d}.jpg"
        cv2.imwrite(str(folder / name), pictures[number], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        yield {"file": name, "width": width, "height": height, "people": [], "other_people_unlabelled": True,
               "camera": video.stem, "frame": f"{video.stem}/{number // (every * RUN)}"}


def _frames(video: Path) -> Iterable[Image]:
    """
    Raises:
        BrokenData: no frame can be read.
    """
    capture = cv2.VideoCapture(str(video))
    try:
        read, picture = capture.read()
        if not read:
            raise BrokenData(f"{video}: no video that can be read")
        while read:
            yield np.asarray(picture, np.uint8)
            read, picture = capture.read()
    finally:
        capture.release()


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--frames", type=int, default=40, help="of each video at least (default 40)")
    args = parser.parse_args()
    sys.stdout.write(f"{args.out}: {write_unlabelled(args.out, args.videos, args.frames)} pictures\n")


if __name__ == "__main__":
    main()
