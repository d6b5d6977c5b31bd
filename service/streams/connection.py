"""One stream, from `ready` to its close.

Two tasks. The listener reads every message, answers at once what needs no cascade, and leaves frames at the pacer. The
answerer takes them from there one at a time, so answers keep the order of the frames. Decoding, inference, tracking and
the writing of JSON run in threads; the loop only hands things on.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final, assert_never

from starlette.websockets import WebSocket, WebSocketDisconnect

from posecascade.service.engine.engine import Engine
from posecascade.service.errors import (
    BadParameter,
    ClientGone,
    Draining,
    Internal,
    PoseCascadeError,
)
from posecascade.service.http.rate_limit import Allowance
from posecascade.service.streams.counts import Counts
from posecascade.service.streams.frame_processor import FrameProcessor
from posecascade.service.streams.pacing import Pacer, Waiting
from posecascade.service.streams.settings import StreamSettings
from posecascade.service.wire import stream_messages as protocol
from posecascade.service.wire.encoding import Wire
from posecascade.service.wire.stream_messages import Close, Flow, Limits

log = logging.getLogger(__name__)

START_GRACE_S: Final = 0.5
"""A client without settings in its query may be about to send `start`; if it is not, it still gets its `ready`."""

BURST_S: Final = 5.0
"""A client may send at once what its rates allow in this time."""

MOST_BROKEN: Final = 256
"""Broken frames, or broken messages, in a row: the client does not speak this protocol."""


class CloseStream(Exception):
    """We close the stream."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class StreamConnection:
    """Owns the socket of one stream, which has been accepted."""

    def __init__(
        self,
        socket: WebSocket,
        engine: Engine,
        settings: StreamSettings,
        flow: Flow | None,
        limits: Limits,
        counts: Counts,
        stream: str,
        closing: asyncio.Event,
    ) -> None:
        """
        Args:
            socket: accepted.
            engine: decodes and infers.
            settings: of the query.
            flow: the pacing of the query; None where the query is empty and `start` may follow.
            limits: of rates and sizes.
            counts: of the frames.
            stream: its name, for logs and messages.
            closing: set when the service shuts down.
        """
        self._socket = socket
        self._settings = settings
        self._limits = limits
        self._counts = counts
        self._stream = stream
        self._processor = FrameProcessor(engine, counts)
        self._pacer = Pacer(flow or Flow(), on_drop=counts.drop)
        self._closing = closing
        self._grace_s = START_GRACE_S if flow is None else 0.0
        self._ready_sent = asyncio.Event()
        self._last_id = -1
        self._broken_texts = self._broken_frames = 0
        self._texts, self._frames = (
            Allowance(rate, rate * BURST_S, time.monotonic)
            for rate in (limits.texts_per_s, limits.frames_per_s)
        )
        self._began_s = time.monotonic()

    async def run(self) -> None:
        """Talks until either side ends it, and leaves the socket closed."""
        closing_reason: CloseStream | None = CloseStream(Close.NORMAL, "")
        try:
            async with asyncio.TaskGroup() as group:
                beside = (
                    self._answer_frames(),
                    self._send_ready_in_time(),
                    self._until_closing(),
                )
                tasks = [group.create_task(work) for work in beside]
                await self._listen()
                for task in tasks:
                    task.cancel()
        except* (ClientGone, WebSocketDisconnect):
            closing_reason = None
        except* CloseStream as ours:
            closing_reason = next(
                error for error in ours.exceptions if isinstance(error, CloseStream)
            )
            log.info(
                "stream %s closed by us: %d %s",
                self._stream,
                closing_reason.code,
                closing_reason.reason,
            )
        if closing_reason is not None:
            with suppress(
                WebSocketDisconnect
            ):  # the client may have left while we were about to say goodbye
                await self._socket.close(closing_reason.code, closing_reason.reason)

    async def _until_closing(self) -> None:
        await self._closing.wait()
        raise CloseStream(Close.RESTART, "the service is shutting down")

    async def _listen(self) -> None:
        """Returns when the client has stopped and has its summary."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise ClientGone(
                    f"the client closed the stream with {message.get('code')}"
                )
            if message.get("text") is None:
                await self._receive(message["bytes"])
            elif await self._on_text(message["text"]):
                return

    async def _receive(self, data: bytes) -> None:
        """Leaves a frame at the pacer. From a file that may take its time; meanwhile the client's socket fills up."""
        if not self._frames.spend():
            raise CloseStream(
                Close.POLICY,
                f"more than {self._limits.frames_per_s:.0f} frames a second",
            )
        if len(data) > self._limits.max_bytes + protocol.HEADER.size:
            raise CloseStream(
                Close.TOO_BIG,
                f"a frame may have {self._limits.max_bytes} bytes, got {len(data)}",
            )
        await self._send_ready()
        received_s = time.monotonic()
        frame_id = None
        self._counts.received += 1
        try:
            sent = protocol.frame_of(data)
            frame_id = self._last_id = (
                self._last_id + 1 if sent.frame_id is None else sent.frame_id
            )
            self._pacer.read(sent.answers_read())
        except PoseCascadeError as error:
            await self._fail(error, frame_id)
        else:
            await self._pacer.offer(Waiting(sent, frame_id, received_s))

    async def _on_text(self, text: str) -> bool:
        """Handles a text message; True after `stop`."""
        if not self._texts.spend():
            raise CloseStream(
                Close.POLICY,
                f"more than {self._limits.texts_per_s:.0f} messages a second",
            )
        if len(text) > self._limits.max_text_bytes:
            raise CloseStream(
                Close.TOO_BIG,
                f"a message may have {self._limits.max_text_bytes} bytes, got {len(text)}",
            )
        try:
            message = protocol.client_message(text)
            await self._do(message)
        except PoseCascadeError as error:
            self._broken_texts += 1
            if self._broken_texts >= MOST_BROKEN:
                raise CloseStream(
                    Close.POLICY,
                    f"{MOST_BROKEN} messages in a row that mean nothing here",
                ) from error
            await self._send(protocol.Fault.of(error, self._stream))
            return False
        self._broken_texts = 0
        return isinstance(message, protocol.Stop)

    async def _do(self, message: protocol.ClientMessage) -> None:
        if not isinstance(message, protocol.Start):
            await self._send_ready()
        match message:
            case protocol.Start():
                await self._start(message)
            case protocol.Set():
                self._settings.change(message.settings)
                await self._send(
                    protocol.SettingsNow(
                        settings=self._settings.by_name(),
                        skeleton=self._settings.skeleton(),
                    )
                )
            case protocol.Reset():
                self._processor.forget()
            case protocol.Ping():
                await self._send(protocol.Pong(t=message.t))
            case protocol.Ack():
                self._pacer.acknowledge(message.frame_id)
            case protocol.Stop():
                await self._pacer.finished()
                await self._send(
                    self._counts.summary(self._stream, time.monotonic() - self._began_s)
                )
            case _:
                assert_never(message)

    async def _start(self, message: protocol.Start) -> None:
        if self._counts.received:
            raise BadParameter(
                "type",
                "start",
                "sent before the first frame",
                message="start comes before the first frame; later, settings are changed by set",
            )
        pacing = protocol.start_of(
            message.settings
        )  # pacing may stand among the settings, as in the query
        self._settings.change(pacing.settings)
        self._pacer.flow = self._pacer.flow.changed(pacing).changed(message)
        self._ready_sent.clear()
        await self._send_ready()

    async def _send_ready_in_time(self) -> None:
        try:
            async with asyncio.timeout(self._grace_s):
                await self._ready_sent.wait()
        except TimeoutError:
            await self._send_ready()

    async def _send_ready(self) -> None:
        """Sends `ready` once."""
        if self._ready_sent.is_set():
            return
        self._ready_sent.set()
        flow = self._pacer.flow
        await self._send(
            protocol.Ready(
                stream=self._stream,
                settings=self._settings.by_name(),
                mode=flow.mode,
                window=flow.window,
                acks=flow.acks,
                skeleton=self._settings.skeleton(),
                limits=self._limits,
            )
        )

    async def _answer_frames(self) -> None:
        reported = 0
        while True:
            waiting = await self._pacer.take()
            dropped = self._counts.dropped
            answered = await self._answer(waiting, dropped - reported)
            reported = dropped if answered else reported
            self._pacer.finish(waiting, answered=answered)

    async def _answer(self, waiting: Waiting, dropped: int) -> bool:
        """False when an error went out in the place of the answer."""
        try:
            text = await self._processor.answer(
                waiting,
                self._settings.requested,
                dropped=dropped,
                patient=self._pacer.flow.mode == "file",
            )
        except Draining as error:
            raise CloseStream(Close.RESTART, "the service is shutting down") from error
        except PoseCascadeError as error:
            await self._fail(error, waiting.frame_id)
            return False
        except Exception:
            log.exception(
                "a defect answered frame %d of stream %s",
                waiting.frame_id,
                self._stream,
            )
            await self._fail(
                Internal("a defect of ours; it is in the log under this request id"),
                waiting.frame_id,
            )
            return False
        self._broken_frames = 0
        await self._socket.send_text(text)
        return True

    async def _fail(self, error: PoseCascadeError, frame_id: int | None) -> None:
        """Reports a frame that has no answer; the stream lives on."""
        self._counts.fail()
        self._broken_frames += error.status < 500
        if self._broken_frames >= MOST_BROKEN:
            raise CloseStream(
                Close.UNSUPPORTED, f"{MOST_BROKEN} frames in a row that cannot be read"
            ) from error
        await self._send(protocol.Fault.of(error, self._stream, frame_id))

    async def _send(self, message: Wire) -> None:
        await self._socket.send_text(message.model_dump_json())
