"""Talks to a running service: `Client("http://localhost:8000").poses("photo.jpg").people`.

Answers are the records of `posecascade.service.wire.poses`; errors are exceptions with the service's own words.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from posecascade.service.wire.poses import FrameReply
from posecascade.service.wire.stream_messages import (
    SUBPROTOCOL,
    StreamFrame,
    frame_message,
)

Picture: TypeAlias = str | Path | bytes
"""The path of an image file, or its bytes."""

MOST_BYTES: Final = 64 * 2**20
"""Of one answer: more than the most people take."""

_NO_LIMIT: Final = 2**31
"""Live, the camera sets the pace and the service drops what is too much."""


class ClientError(Exception):
    """Base of everything that this module raises on purpose."""


class Unreachable(ClientError):
    """Nobody answers at the URL, or the connection was lost."""


class Refused(ClientError):
    """The service answered that it cannot, and why."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.status: int = problem.get("status", 0)
        self.code: str = problem.get("code", "unknown")
        self.detail: str = problem.get("detail", "")
        self.request_id: str | None = problem.get("request_id")
        self.frame_id: int | None = problem.get("frame_id")
        where = "" if self.frame_id is None else f", frame {self.frame_id}"
        super().__init__(
            f"{problem.get('title', 'refused')} ({self.status} {self.code}{where}): {self.detail}"
        )


class Client:
    """One service, and whose key. Keeps no connection; may be shared by threads."""

    def __init__(
        self,
        url: str = "http://localhost:8000",
        *,
        key: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"url must start with http:// or https://, got {url!r}")
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def poses(self, picture: Picture, **settings: Any) -> FrameReply:
        """The people in a picture.

        Args:
            picture: its path or bytes.
            settings: `quality="best"` and the like, see `POST /v1/poses`.

        Raises:
            Refused: the service cannot or will not.
            Unreachable: nobody answers.
            OSError: the file cannot be read.
        """
        request = urllib.request.Request(
            f"{self._url}/v1/poses?{_query(settings)}",
            data=_bytes(picture),
            headers=self._headers | {"Content-Type": "image/*"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                return FrameReply.model_validate_json(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(_problem(error.code, error.read())) from None
        except (OSError, HTTPException) as error:  # URLError is an OSError
            raise Unreachable(
                f"{self._url} does not answer: {getattr(error, 'reason', error)}"
            ) from error

    def stream(
        self,
        frames: Iterable[Picture],
        *,
        mode: Literal["live", "file"] = "live",
        fps: float | None = None,
        window: int = 2,
        on_refused: Callable[[Refused], None] | None = None,
        **settings: Any,
    ) -> Iterator[StreamFrame]:
        """The people in each frame, with ids that last. Frames are read and sent by a thread.

        Args:
            frames: as they come from a camera (live: a frame that waits is replaced by a newer one), or one after the
                other (file: each is answered).
            mode: live or file.
            fps: capture times are counted by it; None: a frame is captured when `frames` gives it.
            window: answers, or frames of a file, that may be under way.
            on_refused: called with each refused frame, see `Refused.frame_id`; None: the first one is raised.
            settings: as of `poses`.

        Raises:
            Refused: a setting, the stream or (without `on_refused`) a frame.
            Unreachable: the connection cannot be made or was lost.
        """
        start = {
            "type": "start",
            "settings": _given(settings),
            "mode": mode,
            "window": window,
            "acks": True,
        }
        room = threading.Semaphore(window if mode == "file" else _NO_LIMIT)
        with self._connected() as socket:
            sender = _Sender(socket, frames, fps, room)
            try:
                socket.send(json.dumps(start))
                sender.start()
                yield from self._answers(socket, sender, on_refused)
            except ConnectionClosed as error:
                raise Unreachable(_farewell(error)) from error
            finally:
                sender.stop()

    def _connected(self) -> ClientConnection:
        scheme, *rest = urlsplit(f"{self._url}/v1/stream")
        try:
            return connect(
                urlunsplit((scheme.replace("http", "ws"), *rest)),
                compression=None,
                max_size=MOST_BYTES,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers=self._headers,
                open_timeout=self._timeout_s,
            )
        except InvalidStatus as error:
            raise Refused(
                _problem(error.response.status_code, bytes(error.response.body))
            ) from None
        except (OSError, InvalidHandshake) as error:
            raise Unreachable(f"{self._url} does not answer: {error}") from error

    def _answers(
        self,
        socket: ClientConnection,
        sender: "_Sender",
        on_refused: Callable[[Refused], None] | None,
    ) -> Iterator[StreamFrame]:
        for text in socket:
            message = json.loads(text)
            if message["type"] == "frame":
                sender.room.release()
                yield StreamFrame.model_validate(message)
                with suppress(
                    ConnectionClosed
                ):  # after the last answer; what was sent before the close is still read
                    socket.send(
                        json.dumps({"type": "ack", "frame_id": message["frame"]["id"]})
                    )
            elif message["type"] == "error":
                sender.room.release()
                refused = Refused(message)
                if on_refused is None or refused.frame_id is None:
                    raise refused
                on_refused(refused)
            elif message["type"] == "summary":
                break
        sender.raise_what_went_wrong()


class _Sender(threading.Thread):
    """Reads the frames and sends them; ends by itself when they end or the socket is closed."""

    def __init__(
        self,
        socket: ClientConnection,
        frames: Iterable[Picture],
        fps: float | None,
        room: threading.Semaphore,
    ) -> None:
        super().__init__(name="posecascade-frames", daemon=True)
        self.room = room
        self._socket = socket
        self._frames = frames
        self._fps = fps
        self._fault: Exception | None = None
        self._stopped = False

    def run(self) -> None:
        try:
            for frame_id, picture in enumerate(self._frames):
                captured_s = (
                    time.monotonic() if self._fps is None else frame_id / self._fps
                )
                self.room.acquire()
                if self._stopped:
                    return
                self._socket.send(
                    frame_message(
                        _bytes(picture), frame_id=frame_id, captured_s=captured_s
                    )
                )
        except ConnectionClosed:
            return  # whoever reads the socket knows why
        except (
            Exception
        ) as error:  # of the caller's own frames: raised where the answers are read
            self._fault = error
        with suppress(ConnectionClosed):
            self._socket.send(json.dumps({"type": "stop"}))

    def stop(self) -> None:
        """Lets it go; a thread that waits for the caller's next frame ends with that frame."""
        self._stopped = True
        self.room.release()

    def raise_what_went_wrong(self) -> None:
        """What reading the frames raised, if it did."""
        if self._fault is not None:
            raise self._fault


def _bytes(picture: Picture) -> bytes:
    return picture if isinstance(picture, bytes) else Path(picture).read_bytes()


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON may write them: enumerations as their values, sequences as lists; None is left out."""
    return {name: value for name, value in settings.items() if value is not None}


def _query(settings: Mapping[str, Any]) -> str:
    def text(value: object) -> str:
        return (
            ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        )

    return urlencode({name: text(value) for name, value in _given(settings).items()})


def _problem(status: int, body: bytes) -> dict[str, Any]:
    """A problem document; from whatever stands between us and the service, what is known of it."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {
        "status": status,
        "title": "Not answered by the service",
        "detail": body[:200].decode(errors="replace"),
    }


def _farewell(error: ConnectionClosed) -> str:
    """Why a stream ended, in words."""
    if error.rcvd is None:
        return "the connection was lost"
    reason = f": {error.rcvd.reason}" if error.rcvd.reason else ""
    return f"the service closed the stream ({error.rcvd.code}{reason})"
