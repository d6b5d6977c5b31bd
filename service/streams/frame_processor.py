"""A frame of a stream to the text of its answer."""

import asyncio
import time
from dataclasses import replace
from typing import Final

from posecascade.models.records import Frame
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.stream import StreamState
from posecascade.service.engine.engine import Engine
from posecascade.service.errors import Overloaded
from posecascade.service.http.parameters import RequestOptions
from posecascade.service.streams.counts import Counts
from posecascade.service.streams.pacing import Waiting
from posecascade.service.wire.poses import FrameReply, ModelInfo, TimingReply
from posecascade.service.wire.stream_messages import StreamFrame
from posecascade.service.wire.timing import accounted

RETRY_S: Final = 0.05
"""Between attempts at a frame of a file while the service is overloaded: it is the client that has to wait."""


class FrameProcessor:
    """Owns the memory of one stream. Its calls take turns."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        self._engine = engine
        self._counts = counts
        self._session = StreamState()
        self._forget = False

    def forget(self) -> None:
        """Everyone of the next frame is new. Safe while a frame is being worked on in a thread."""
        self._forget = True

    async def answer(
        self,
        waiting: Waiting,
        requested: RequestOptions,
        *,
        dropped: int,
        patient: bool,
    ) -> str:
        """
        Args:
            waiting: the frame.
            requested: the settings for it.
            dropped: frames skipped since the last answer.
            patient: tries again while the service is overloaded.

        Raises:
            PoseCascadeError: why this frame has no answer.
        """
        if self._forget:
            self._forget = False
            self._session.forget()
        memory = self._session.begin(waiting.sent.captured_s, waiting.received_s)
        while True:
            self._engine.admit()
            try:
                frame = await self._inferred(waiting, requested, memory)
                break
            except Overloaded:
                if not patient:
                    raise
                await asyncio.sleep(RETRY_S)
        return await asyncio.to_thread(
            self._written, waiting, frame, requested, dropped
        )

    async def _inferred(
        self, waiting: Waiting, requested: RequestOptions, memory: Memory
    ) -> Frame:
        """The frame of the cascade; its timing covers everything since the receipt."""
        waited_ms = (time.monotonic() - waiting.received_s) * 1000
        began_s = time.perf_counter()
        picture = await self._engine.decode(waiting.sent.image)
        decode_ms = (time.perf_counter() - began_s) * 1000
        options = requested.options_for(
            width=picture.width, height=picture.height, exif=picture.camera
        )
        frame = await self._engine.infer(picture.image_bgr, options, memory=memory)
        ours = {"decode": decode_ms, "queue": frame.timing_ms["queue"] + waited_ms}
        return replace(frame, timing_ms=frame.timing_ms | ours)

    def _written(
        self, waiting: Waiting, frame: Frame, requested: RequestOptions, dropped: int
    ) -> str:
        """In a thread: 1 to 4 ms of NumPy for the people, and as much for the JSON."""
        frame = self._session.follow(frame)
        reply = FrameReply.of(
            frame,
            frame_id=waiting.frame_id,
            skeleton=requested.skeleton,
            timing_ms=frame.timing_ms,
            model=ModelInfo.of(self._engine.manifest),
        )
        age_ms = (time.monotonic() - waiting.received_s) * 1000
        timing = TimingReply.model_validate(accounted(frame.timing_ms, age_ms))
        self._counts.answer(frame, age_ms)
        answer = StreamFrame(
            **dict(reply) | {"timing_ms": timing},
            age_ms=round(age_ms, 3),
            dropped=dropped,
        )
        return answer.model_dump_json()
