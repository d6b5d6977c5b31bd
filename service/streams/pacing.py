"""Which frame is worked on next, and when: the one place between a client that sends and a cascade that answers.

Never more than one frame waits. Live, a newer one takes its place; from a file, the sender waits for the place, which
reaches the client through its socket. So the delay never grows, whichever side is slow.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from posecascade.service.wire.stream_messages import Flow, SentFrame


@dataclass(frozen=True, slots=True)
class Waiting:
    """A frame that has arrived."""

    sent: SentFrame
    frame_id: int
    received_s: float
    """Monotonic."""


class Pacer:
    """Owns the waiting place of one stream and its count of answers that nobody has confirmed."""

    def __init__(self, flow: Flow, on_drop: Callable[[], None]) -> None:
        """
        Args:
            flow: may be changed until the first frame.
            on_drop: called for each frame that a newer one replaced.
        """
        self.flow = flow
        self._on_drop = on_drop
        self._waiting: Waiting | None = None
        self._working = False
        self._unread: deque[int] = deque()
        self._stopping = False
        self._changed = asyncio.Event()

    async def offer(self, frame: Waiting) -> None:
        """Live: takes the waiting place at once. File: waits until it is free."""
        if self.flow.mode == "file":
            await self._until(lambda: self._waiting is None)
        if self._waiting is not None:
            self._on_drop()
        self._waiting = frame
        self._changed.set()

    async def take(self) -> Waiting:
        """The frame to work on now; its answer must be `finish`ed before the next one is taken."""
        await self._until(lambda: self._waiting is not None and self._window_open)
        assert self._waiting is not None
        frame = self._waiting
        self._waiting = None
        self._working = True
        self._changed.set()
        return frame

    def finish(self, frame: Waiting, *, answered: bool) -> None:
        """Its answer has been sent, or an error in its place, which needs no acknowledgement."""
        if answered and self._confirms:
            self._unread.append(frame.frame_id)
        self._working = False
        self._changed.set()

    def acknowledge(self, frame_id: int) -> bool:
        """The client has read this answer and those before it; False where it is not waited for."""
        if frame_id not in self._unread:
            return False
        while self._unread.popleft() != frame_id:
            pass
        self._changed.set()
        return True

    def read(self, answers: int) -> None:
        """The client has read so many more answers."""
        for _ in range(min(answers, len(self._unread))):
            self._unread.popleft()
        self._changed.set()

    async def finished(self) -> None:
        """The client stops: waits until what it sent before is answered. Nothing is to be offered any more."""
        self._stopping = True
        self._changed.set()
        await self._until(lambda: self._waiting is None and not self._working)

    @property
    def _confirms(self) -> bool:
        """Acknowledgements lie behind the frames in the socket that file mode leaves unread: they cannot pace it."""
        return self.flow.acks and self.flow.mode == "live"

    @property
    def _window_open(self) -> bool:
        return (
            self._stopping or not self._confirms or len(self._unread) < self.flow.window
        )

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            self._changed.clear()
            await self._changed.wait()
