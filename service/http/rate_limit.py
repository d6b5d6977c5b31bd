"""How much of something a client may send: a bucket that fills with time."""

from collections.abc import Callable


class Allowance:
    """`burst` at once, and `per_s` of them for good."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at_s = clock()

    def spend(self) -> bool:
        """Whether there is one left, which is then gone."""
        now = self._clock()
        self._left = min(self._left + (now - self._at_s) * self._per_s, self._burst)
        self._at_s = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
