"""Where the time of a frame goes: the one place that accounts for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from posecascade.models.records import Stage

Clock: TypeAlias = Callable[[], float]
"""Seconds, rising."""


class FrameTimer:
    """Milliseconds of a frame, by part."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_s = clock()
        self.parts_ms = dict.fromkeys((*map(str, Stage), "route"), 0.0)

    @contextmanager
    def measured(self, part: str) -> Iterator[None]:
        """Adds the time of the block to `part`, unless the block raises."""
        began_s = self._clock()
        yield
        self.add(part, 1000 * (self._clock() - began_s))

    def add(self, part: str, spent_ms: float) -> None:
        """Adds time that was measured elsewhere."""
        self.parts_ms[part] += spent_ms

    def since_ms(self, began_s: float) -> float:
        """Since a moment of this clock."""
        return 1000 * (self._clock() - began_s)

    def now_s(self) -> float:
        """On this clock."""
        return self._clock()

    def total(self) -> dict[str, float]:
        """All parts; `other` is what no part claims."""
        whole_ms = self.since_ms(self._began_s)
        other_ms = whole_ms - sum(self.parts_ms.values())
        return self.parts_ms | {"other": other_ms}
