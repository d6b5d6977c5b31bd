"""The messages of `WS /v1/stream`, and the frame header.

Client to server, text: start, set, reset, ping, ack, stop. Binary: a frame, plain image bytes or a header before them.
Server to client, text: ready, frame, settings, pong, error, summary.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from posecascade.service.errors import BadImage, BadParameter, PoseCascadeError
from posecascade.service.wire.encoding import Wire
from posecascade.service.wire.poses import FrameReply
from posecascade.service.wire.problem import Problem
from posecascade.service.wire.skeleton import Skeleton

SUBPROTOCOL: Final = "posecascade.v1"
MAGIC: Final = b"PCF1"
HEADER: Final = struct.Struct("<4sIdI")
"""Magic, u32 frame id, f64 capture time in seconds, u32 flags; little-endian."""

READ_ANSWERS: Final = 0xFFFF
"""The flags' low half: how many answers the client has read since its last report, here or by an `ack`. The upper half
is zero."""

MAX_WINDOW: Final = 16


class Close(IntEnum):
    """Codes a stream is closed with (RFC 6455 section 7.4.1 and IANA's registry)."""

    NORMAL = 1000
    UNSUPPORTED = 1003
    """Nothing but frames that are no pictures: this is no video."""
    POLICY = 1008
    """A flood, messages that nobody understands, or no leave to be here."""
    TOO_BIG = 1009
    DEFECT = 1011
    RESTART = 1012
    LATER = 1013


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A binary message, taken apart."""

    image: bytes
    frame_id: int | None = None
    """None: the client leaves the counting to us."""
    captured_s: float | None = None
    flags: int = 0

    def answers_read(self) -> int:
        """How many more answers the client has read.

        Raises:
            BadParameter: the header holds something that a client of this version cannot mean.
        """
        if self.captured_s is not None and not math.isfinite(self.captured_s):
            raise BadParameter(
                "capture_time_s", self.captured_s, "a finite number of seconds"
            )
        if self.flags & ~READ_ANSWERS:
            raise BadParameter(
                "flags",
                hex(self.flags),
                "the number of answers read in the low 16 bits, else 0",
            )
        return self.flags


def frame_of(message: bytes) -> SentFrame:
    """
    Raises:
        BadImage: the message ends within its header.
    """
    if not message.startswith(MAGIC):
        return SentFrame(message)
    if len(message) < HEADER.size:
        raise BadImage(
            f"a frame that starts with PCF1 has {HEADER.size} bytes of header, got {len(message)} in all"
        )
    _, frame_id, captured_s, flags = HEADER.unpack_from(message)
    return SentFrame(message[HEADER.size :], frame_id, captured_s, flags)


def frame_message(
    image: bytes, *, frame_id: int, captured_s: float, answers_read: int = 0
) -> bytes:
    """The binary message of a frame, with header."""
    return HEADER.pack(MAGIC, frame_id, captured_s, answers_read) + image


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Start(_Message):
    """May be the first message; what it leaves out is as in the query, or the default."""

    type: Literal["start"] = "start"
    settings: dict[str, Any] = {}
    window: Annotated[int, Field(ge=1, le=MAX_WINDOW, strict=True)] | None = None
    mode: Literal["live", "file"] | None = None
    acks: Annotated[bool, Field(strict=True)] | None = None


class Set(_Message):
    """Changes these settings from the next frame on; null is the default."""

    type: Literal["set"] = "set"
    settings: dict[str, Any]


class Reset(_Message):
    """Forgets identities."""

    type: Literal["reset"] = "reset"


class Ping(_Message):
    """Is answered by a pong with the same `t`."""

    type: Literal["ping"] = "ping"
    t: (
        int
        | Annotated[float, Field(allow_inf_nan=False)]
        | Annotated[str, Field(max_length=64)]
        | None
    ) = None


class Ack(_Message):
    """The answer to this frame has been read, and all answers before it."""

    type: Literal["ack"] = "ack"
    frame_id: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)]


class Stop(_Message):
    """Is answered by a summary once the frames before it are answered."""

    type: Literal["stop"] = "stop"


ClientMessage: TypeAlias = Start | Set | Reset | Ping | Ack | Stop
_CLIENT: Final[TypeAdapter[ClientMessage]] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)
_TYPES: Final = "start | set | reset | ping | ack | stop"


def client_message(text: str) -> ClientMessage:
    """
    Raises:
        BadParameter: names what is wrong with the message.
    """
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
    if fault["type"] in ("union_tag_not_found", "union_tag_invalid"):
        given = (
            fault["input"].get("type")
            if isinstance(fault["input"], dict)
            else fault["input"]
        )
        raise BadParameter("type", given, _TYPES)
    if len(fault["loc"]) < 2:
        raise BadParameter("message", text, f"a JSON object with a `type` of {_TYPES}")
    raise BadParameter(str(fault["loc"][1]), fault["input"], fault["msg"])


@dataclass(frozen=True, slots=True)
class Flow:
    """How frames and answers are paced."""

    mode: Literal["live", "file"] = "live"
    window: int = 2
    acks: bool = False

    def changed(self, requested: Start) -> "Flow":
        """With the fields that `requested` sets."""
        return Flow(
            requested.mode or self.mode,
            requested.window or self.window,
            self.acks if requested.acks is None else requested.acks,
        )


def start_of(settings: Mapping[str, Any]) -> Start:
    """The settings of a query, or of a start message, with those that pace the stream put where they belong.

    Raises:
        BadParameter: names what is wrong.
    """
    pacing = {
        name: _json(settings[name]) if name != "mode" else settings[name]
        for name in ("mode", "window", "acks")
        if name in settings
    }
    rest = {name: value for name, value in settings.items() if name not in pacing}
    try:
        return Start.model_validate({"settings": rest} | pacing)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
    raise BadParameter(str(fault["loc"][0]), fault["input"], fault["msg"])


def _json(value: object) -> object:
    """A number or truth value as the query writes it."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


class Limits(Wire):
    """What closes a stream or is refused."""

    max_bytes: int
    """Of one frame."""
    max_pixels: int
    max_text_bytes: int = 64 * 1024
    texts_per_s: float = 200.0
    frames_per_s: float = 1000.0
    """Received, not answered."""


class Ready(Wire):
    """The stream has begun."""

    type: Literal["ready"] = "ready"
    stream: str
    settings: dict[str, Any]
    mode: Literal["live", "file"]
    window: int
    acks: bool
    skeleton: Skeleton
    limits: Limits


class StreamFrame(FrameReply):
    """The people in one frame, with ids and velocities."""

    type: Literal["frame"] = "frame"
    age_ms: float
    """From receipt to answer."""
    dropped: int
    """Frames since the last answer that were skipped for a newer one."""


class Fault(Problem):
    """A frame, message or setting that cannot be honoured; the stream lives on. `request_id` is the stream's."""

    type: str = "error"
    frame_id: int | None = None

    @classmethod
    def of(
        cls, error: PoseCascadeError, request_id: str, frame_id: int | None = None
    ) -> "Fault":
        problem = Problem.of(error, request_id)
        return cls(**dict(problem) | {"type": "error", "frame_id": frame_id})


class SettingsNow(Wire):
    """What holds from the next frame on."""

    type: Literal["settings"] = "settings"
    settings: dict[str, Any]
    skeleton: Skeleton


class Pong(Wire):
    """The answer to a ping."""

    type: Literal["pong"] = "pong"
    t: int | float | str | None


class Summary(Wire):
    """The last message of a stream that was stopped."""

    type: Literal["summary"] = "summary"
    stream: str
    seconds: float
    received: int
    answered: int
    dropped: int
    failed: int
    people: int
    """Ids given."""
    stages: dict[str, int]
    """People by the stage that answered."""
    age_ms_mean: float
    age_ms_max: float
