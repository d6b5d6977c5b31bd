"""Frames of a video file, upright and with their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from posecascade.models.arrays import Image
from posecascade.service.errors import UnsupportedMedia

_FPS_UNKNOWN = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One picture of a video."""

    image_bgr: Image
    time_s: float
    """From the start of the video, later than the frame before."""


class Video:
    """Owns an open video file."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            FileNotFoundError: there is no such file.
            UnsupportedMedia: it cannot be read as a video.
        """
        if not path.is_file():
            raise FileNotFoundError(f"no such file: {path}")
        # FFmpeg alone: OpenCV's other backends take a text file for a numbered series of pictures.
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UnsupportedMedia(f"{path.name} cannot be read as a video")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(fps) if 0 < fps <= 1000 else _FPS_UNKNOWN
        self.frame_count = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        """As the file claims; 0: unknown."""

    def __iter__(self) -> Iterator[VideoFrame]:
        """The frames that are left, up to the end or the first damaged one."""
        before_s = -1.0
        while True:
            read, pixels = self._capture.read()
            if not read:
                return
            stamped_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            before_s = stamped_s if stamped_s > before_s else before_s + 1 / self.fps
            yield VideoFrame(np.asarray(pixels, np.uint8), before_s)

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()


class VideoFile:
    """Owns a video file being written."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None

    def write(self, image_bgr: Image) -> None:
        """Appends a frame; all have the size of the first.

        Raises:
            OSError: the file cannot be written.
        """
        height, width = (
            side - side % 2 for side in image_bgr.shape[:2]
        )  # MPEG-4 wants even sides
        if self._writer is None:
            self._writer = cv2.VideoWriter(
                str(self._path),
                cv2.VideoWriter.fourcc(*"mp4v"),
                self._fps,
                (width, height),
            )
            if not self._writer.isOpened():
                raise OSError(f"cannot write {self._path}")
        self._writer.write(np.ascontiguousarray(image_bgr[:height, :width]))

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.release()
