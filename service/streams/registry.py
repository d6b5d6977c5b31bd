"""All streams of one service: how many there are, and how they end with it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from posecascade.service.errors import Draining, Overloaded
from posecascade.service.streams.counts import StreamMetrics

CLOSE_TIMEOUT_S = 5.0
"""For the closing of all sockets at shutdown; clients that do not answer are left to the server."""


class Streams:
    """Owns the places for streams."""

    def __init__(self, most: int, metrics: StreamMetrics) -> None:
        self._most = most
        self.metrics = metrics
        self._open = 0
        self.closing = asyncio.Event()
        """Set when every stream is to end."""
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def place(self) -> Iterator[None]:
        """
        Raises:
            Overloaded: all are taken.
            Draining: the service is shutting down.
        """
        if self.closing.is_set():
            raise Draining("the service is shutting down; ask another one")
        if self._open >= self._most:
            raise Overloaded(f"{self._open} streams are open, and no more are allowed")
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """After the body no stream is open, or had its time to close."""
        try:
            yield
        finally:
            self.closing.set()
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._empty.wait()
            except TimeoutError:
                pass

    def _count(self, change: int) -> None:
        self._open += change
        self.metrics.open.set(self._open)
        (self._empty.clear if self._open else self._empty.set)()
