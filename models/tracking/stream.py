"""Ids, velocities, smoothed poses and reuse over the frames of one stream.

`Stream` runs a cascade over a video in this process. `StreamState` is what lies between two frames, for callers who run
the cascade themselves.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.options import Options, Quality
from posecascade.models.records import Frame
from posecascade.models.tracking.clock import StreamClock
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.smoothing import PoseSmoother
from posecascade.models.tracking.tracker import Tracker

DEFAULT_FPS: Final = 25.0
"""Of images without timestamps and of files that do not state a frame rate."""

TimedImage: TypeAlias = tuple[float, Image]
"""Seconds on any clock that goes forward, and a frame [H, W, 3] uint8 BGR."""

Video: TypeAlias = str | os.PathLike[str] | Iterable[Image] | Iterable[TimedImage]
"""A video file, or frames with or without timestamps."""


class PosePredictor(Protocol):
    """What `Stream` needs of a cascade."""

    def predict(
        self, image_bgr: Image, options: Options, *, memory: Memory | None
    ) -> Frame:
        """The people of one frame, with the memory of its stream."""


class StreamState:
    """Owns the memory, tracker, smoother and clock of one stream.

    Frames come in order: `begin`, then the cascade with the memory that it returns, then `follow`.
    """

    def __init__(self) -> None:
        self._clock = StreamClock()
        self._memory = Memory()
        self._tracker = Tracker()
        self._smoother = PoseSmoother()
        self._time_s = 0.0

    def forget(self) -> None:
        """Drops all tracks: everyone in the next frame is new."""
        self._memory.forget()
        self._tracker.forget()
        self._smoother.forget()

    def begin(self, captured_s: float | None, received_s: float) -> Memory:
        """Starts a frame.

        Args:
            captured_s: capture time on the client's clock; None if it has none.
            received_s: monotonic time of arrival.

        Returns:
            The memory to pass to the cascade, set to the frame's time.
        """
        tick = self._clock.tick(captured_s, received_s)
        if tick.new_scene:
            self.forget()
        self._time_s = tick.time_s
        self._memory.begin(tick.time_s)
        return self._memory

    def follow(self, frame: Frame) -> Frame:
        """The frame that has begun, with ids, velocities and smoothed poses.

        About a millisecond of NumPy: run it in a thread.
        """
        identities = self._tracker.follow(frame.people, frame.camera, self._time_s)
        poses = self._smoother.smoothed(frame.people, identities.rows, self._time_s)
        people = tuple(
            replace(person, id=int(track_id), pose=pose, velocity_mm_s=velocity)
            for person, pose, track_id, velocity in zip(
                frame.people,
                poses,
                identities.ids,
                identities.velocity_mm_s,
                strict=True,
            )
        )
        return replace(frame, people=people)


class Stream:
    """Runs a cascade over the frames of one video or camera.

    Example:
        for frame in Stream(Cascade.load(), quality="balanced").frames("walk.mp4"):
            print([person.id for person in frame.people])
    """

    def __init__(self, cascade: PosePredictor, **options: Any) -> None:
        """
        Args:
            cascade: a `Cascade`; several streams may share it.
            options: fields of `Options` by name, such as `quality="best"`.

        Raises:
            TypeError: an option has an unknown name.
            ValueError: an option is out of range; the message names it.
        """
        if "quality" in options:
            options["quality"] = Quality(options["quality"])
        self._cascade = cascade
        self._options = Options(**options)
        self._state = StreamState()

    def forget(self) -> None:
        """Drops all tracks: everyone in the next frame is new."""
        self._state.forget()

    def frame(self, image_bgr: Image, time_s: float) -> Frame:
        """The people of the next frame, with ids and smoothed poses.

        Args:
            image_bgr: [H, W, 3] uint8.
            time_s: later than that of the frame before, on any clock.

        Raises:
            ValueError: an option does not fit the frame.
            StageDown: the coarse stage failed.
        """
        memory = self._state.begin(time_s, time_s)
        frame = self._cascade.predict(image_bgr, self._options, memory=memory)
        return self._state.follow(frame)

    def frames(self, video: Video, *, fps: float = DEFAULT_FPS) -> Iterator[Frame]:
        """The people of each frame of a video, one frame at a time.

        Args:
            video: a file, or an iterable of images, or of (time_s, image) pairs.
            fps: frame rate of images without timestamps.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file cannot be read as a video.
        """
        for time_s, image_bgr in _timed_images(video, fps):
            yield self.frame(image_bgr, time_s)


def _timed_images(video: Video, fps: float) -> Iterator[TimedImage]:
    if isinstance(video, str | os.PathLike):
        yield from _decoded(Path(video))
        return
    for number, item in enumerate(video):
        yield item if isinstance(item, tuple) else (number / fps, item)


def _decoded(path: Path) -> Iterator[TimedImage]:
    """The frames of a video file; a missing or repeated timestamp is replaced by the frame rate."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise ValueError(f"{path} cannot be read as a video")
        interval_s = 1 / (capture.get(cv2.CAP_PROP_FPS) or DEFAULT_FPS)
        time_s = -interval_s
        while True:
            has_frame, pixels = capture.read()
            if not has_frame:
                return
            stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            time_s = stamp_s if stamp_s > time_s else time_s + interval_s
            yield time_s, np.asarray(pixels, np.uint8)
    finally:
        capture.release()
