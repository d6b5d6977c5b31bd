"""How fast a stage really is here: what its next job will wait."""

from typing import Final

_SHARE: Final = 0.2
"""Of the newest batch in the mean. It is a mean of wall time, so a device that stages share counts as a slower one."""


class Pace:
    """Seconds an item, first as the manifest states it, then as measured."""

    def __init__(self, cost_ms: float) -> None:
        """
        Args:
            cost_ms: of one item, positive.
        """
        self._stated_s = self.item_s = cost_ms / 1000

    @property
    def slowdown(self) -> float:
        """Measured over stated time: 2 where the stage takes twice as long as the manifest says."""
        return self.item_s / self._stated_s

    def ran(self, items: int, seconds: float) -> None:
        """A batch of so many items took so long."""
        self.item_s += _SHARE * (seconds / items - self.item_s)
