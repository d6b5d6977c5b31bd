"""From queueing to a price: under pressure depth is shed first, the least rewarding people before the others."""

import math
import time
from collections.abc import Callable
from typing import Final

CEILING_MM_PER_MS: Final = 50.0
"""No second look removes that much error per millisecond: at the ceiling everybody stops at `coarse`."""
_RISE_S: Final = 2.0
"""From nothing to the ceiling while jobs wait twice the target or longer. Falls as fast."""
_STALE_S: Final = 0.25
"""A single observation says nothing about longer stretches of time."""


class LoadController:
    """An integral controller on waiting: the price climbs while frames wait longer than the target, else it falls.

    Integral, because the price that balances a load is not known beforehand and differs by machine. The longest wait is
    held for a moment: short waits in one place must not hide long ones in another.
    """

    def __init__(self, *, target_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._target_s, self._clock = target_s, clock
        self._price, self._longest_s, self._at_s = 0.0, 0.0, clock()

    @property
    def price(self) -> float:
        """mm of expected error that one more millisecond must remove, on top of what was asked for."""
        idle_s = max(self._clock() - self._at_s - _STALE_S, 0.0)  # nobody waits where nothing is run
        return max(self._price - CEILING_MM_PER_MS * idle_s / _RISE_S, 0.0)

    def observe(self, waited_s: float) -> None:
        """Something of a frame began after this long in a queue."""
        elapsed_s = self._clock() - self._at_s
        self._longest_s = max(waited_s, self._longest_s * math.exp(-elapsed_s / _STALE_S))
        excess = min(self._longest_s / self._target_s - 1.0, 1.0)
        moved = self.price + CEILING_MM_PER_MS * excess * min(elapsed_s, _STALE_S) / _RISE_S
        self._price, self._at_s = min(max(moved, 0.0), CEILING_MM_PER_MS), self._clock()
