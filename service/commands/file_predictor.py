"""Pictures and videos of the disk, answered one frame at a time by the cascade in this process."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from posecascade.models.arrays import Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.records import Frame
from posecascade.models.tracking.stream import StreamState
from posecascade.service.errors import BadImage
from posecascade.service.http.parameters import RequestOptions
from posecascade.service.media.decode import Limits, decode
from posecascade.service.media.video import Video
from posecascade.service.wire.poses import FrameReply, ModelInfo
from posecascade.service.wire.timing import accounted

_LIMITS: Final = Limits(max_bytes=2**30, max_pixels=200_000_000)
"""One's own files may be larger than what strangers may send."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was found in a picture, or in one frame of a video."""

    source: str
    time_s: float | None
    """From the start of the video; None for a picture."""
    image_bgr: Image
    frame: Frame
    reply: FrameReply
    """The same as `POST /v1/poses` answers it."""

    def record(self) -> dict[str, Any]:
        """The reply's JSON, with where and when before it."""
        when = {} if self.time_s is None else {"time_s": round(self.time_s, 6)}
        return {"source": self.source} | when | self.reply.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class FilePredictor:
    """Puts the same question to the cascade for every frame."""

    cascade: Cascade
    requested: RequestOptions

    def picture(self, path: Path) -> Iterator[Answer]:
        """The one answer to a picture.

        Raises:
            OSError, PoseCascadeError, ModelError: it cannot be read, or the settings do not fit it.
        """
        began = time.perf_counter()
        if path.is_dir():
            raise IsADirectoryError("there are no pictures or videos in this folder")
        picture = decode(path.read_bytes(), _LIMITS)
        decode_ms = 1000 * (time.perf_counter() - began)
        options = self.requested.options_for(
            width=picture.width, height=picture.height, exif=picture.camera
        )
        frame = self.cascade.predict(picture.image_bgr, options)
        yield self._answer(
            str(path), None, picture.image_bgr, frame, 0, decode_ms, began
        )

    def video(self, path: Path, video: Video) -> Iterator[Answer]:
        """An answer a frame, with ids and smoothed over time.

        Raises:
            PoseCascadeError, ModelError: there is no frame to be had, or the settings do not fit.
        """
        session = StreamState()
        began = time.perf_counter()
        number = -1
        for number, shot in enumerate(video):
            decode_ms = 1000 * (time.perf_counter() - began)
            height, width = shot.image_bgr.shape[:2]
            frame = self.cascade.predict(
                shot.image_bgr,
                self.requested.options_for(width=width, height=height),
                memory=session.begin(shot.time_s, shot.time_s),
            )
            frame = session.follow(frame)
            yield self._answer(
                str(path), shot.time_s, shot.image_bgr, frame, number, decode_ms, began
            )
            began = time.perf_counter()
        if number < 0:
            raise BadImage("not a single frame of this video can be decoded")

    def _answer(
        self,
        source: str,
        time_s: float | None,
        image_bgr: Image,
        frame: Frame,
        number: int,
        decode_ms: float,
        began_s: float,
    ) -> Answer:
        took_ms = accounted(
            frame.timing_ms | {"decode": decode_ms},
            1000 * (time.perf_counter() - began_s),
        )
        reply = FrameReply.of(
            frame,
            frame_id=number,
            skeleton=self.requested.skeleton,
            timing_ms=took_ms,
            model=ModelInfo.of(self.cascade.manifest),
        )
        return Answer(source, time_s, image_bgr, frame, reply)
