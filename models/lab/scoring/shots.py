"""Frames with their times, from a film with truth, a labelled folder of a film, or a plain video."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.errors import LabelsError
from posecascade.models.lab.scoring.films import read_film
from posecascade.models.records import Camera


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame of a stream."""

    image_bgr: Image
    camera: Camera | None
    """True intrinsics, where they are known."""
    time_s: float


def shots_of(path: Path) -> Iterator[Shot]:
    """The frames of a folder that `read_film` reads, or of a video file, in order.

    Raises:
        LabelsError: what `read_film` raises; not a single frame of a video can be decoded.
    """
    if path.is_dir():
        film = read_film(path)
        for frame, time_s in zip(film.frames, film.times_s, strict=True):
            yield Shot(frame.image_bgr(), frame.camera, float(time_s))
        return
    video = cv2.VideoCapture(str(path))
    fps = video.get(cv2.CAP_PROP_FPS) or 25.0
    number = 0
    try:
        while (read := video.read())[0]:
            yield Shot(np.asarray(read[1], np.uint8), None, number / fps)
            number += 1
    finally:
        video.release()
    if not number:
        raise LabelsError(
            f"{path}: want a folder with a film's labels.json or a video, and no frame can be decoded"
        )
