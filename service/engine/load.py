"""From queueing to a price: under pressure depth is shed first, the least rewarding people before the others."""

import math
import time
from collections.abc import Callable
from typing import Final

CEILING_MM_PER_MS: Final = 20.0
"""No deeper stage removes that much error per millisecond: at the ceiling everybody stops at `coarse`."""
_SCALE_MM_PER_MS: Final = 1.0
"""Below it the price moves in even steps, above it in even ratios: gains lie between a tenth and ten of these."""
_TOP: Final = math.log1p(CEILING_MM_PER_MS / _SCALE_MM_PER_MS)
_INTEGRAL_PER_S: Final = 0.5
_PROPORTIONAL: Final = 0.25
_LEAST = -2.0
_MOST = 3.0
"""Bounds of the excess: a seventh of the target or less, twenty times or more."""
_STALE_S: Final = 0.25
"""A single observation does not represent longer stretches of time."""


class LoadController:
    """A proportional-integral controller of waiting, on a logarithmic price.

    Logarithmic, because gains span two powers of ten. Integral, because the price that balances a load
    is not known beforehand and differs by machine; it is held at its bounds, so that no overload, however long, has to
    be worked off before the price falls. Proportional, because a queue is itself an integral of the load, and an
    integral of an integral swings (Astrom and Hagglund, PID Controllers, 1995, chapters 3.2 and 3.5). The longest wait
    is held for a moment: short waits in one place must not hide long ones in another.
    """

    def __init__(
        self, *, target_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._target_s = target_s
        self._clock = clock
        self._integral = 0.0
        self._longest_s = 0.0
        self._at_s = clock()

    @property
    def price(self) -> float:
        """mm of expected error that one more millisecond must remove, on top of the requested price."""
        elapsed_s = self._clock() - self._at_s
        level = self._settled(elapsed_s) + _PROPORTIONAL * self._excess(
            self._held(elapsed_s)
        )
        return _SCALE_MM_PER_MS * math.expm1(min(max(level, 0.0), _TOP))

    def observe(self, wait_s: float) -> None:
        """Something of a frame waits this long, or would if it came now."""
        elapsed_s = self._clock() - self._at_s
        self._longest_s = max(wait_s, self._held(elapsed_s))
        step = (
            _INTEGRAL_PER_S * self._excess(self._longest_s) * min(elapsed_s, _STALE_S)
        )
        self._integral = min(max(self._settled(elapsed_s) + step, 0.0), _TOP)
        self._at_s = self._clock()

    def lost(self) -> None:
        """A frame missed its deadline before it had any answer: depth was not shed in time."""
        self.observe(self._target_s * math.exp(_MOST))

    def _held(self, elapsed_s: float) -> float:
        return self._longest_s * math.exp(-elapsed_s / _STALE_S)

    def _settled(self, elapsed_s: float) -> float:
        """Nobody waits where nobody comes."""
        return max(
            self._integral + _INTEGRAL_PER_S * _LEAST * max(elapsed_s - _STALE_S, 0.0),
            0.0,
        )

    def _excess(self, wait_s: float) -> float:
        """How far the wait is from the target, as a logarithm."""
        return min(max(math.log(max(wait_s, 1e-9) / self._target_s), _LEAST), _MOST)
