"""Threads for what would block the loop."""

import asyncio
from asyncio import Future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from posecascade.service.errors import Draining

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A pool that raises once it is closed, and is closed only when its last call has come back."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._name = name
        self._closed = False

    def run(
        self, function: Callable[P, T], *args: P.args, **named: P.kwargs
    ) -> Future[T]:
        """
        Raises:
            Draining: the pool is closed.
        """
        if self._closed:
            raise Draining(f"{self._name} is closed")
        return asyncio.wrap_future(self._pool.submit(function, *args, **named))

    async def close(self) -> None:
        """A thread cannot be cancelled: waits for it, off the loop."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
