"""Waiting for a state that another task or thread brings about."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float = 5) -> None:
    """Returns once `condition` holds.

    Raises:
        TimeoutError: it did not come to hold in time.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # the states watched have no event of their own
            await asyncio.sleep(0.001)
