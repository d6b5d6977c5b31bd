"""The time of a stream, which only goes forward, whatever the timestamps of the client do."""

import math
from dataclasses import dataclass

RESTART_S = 10.0
"""A longer pause starts a new scene: nobody is expected to be where they were."""

JUMP_BACK_S = 1.0
"""Timestamps that jump back by more than this start a new scene: a clip was wound back, or a clock was set."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The time of a frame, for filters and tracks."""

    time_s: float
    """Later than the tick before."""
    new_scene: bool


class StreamClock:
    """Follows capture timestamps while they move forward, and arrival times otherwise."""

    def __init__(self) -> None:
        self._time_s = 0.0
        self._captured_s: float | None = None
        self._received_s: float | None = None

    def tick(self, captured_s: float | None, received_s: float) -> Tick:
        """The time of the next frame.

        Args:
            captured_s: the client's timestamp, on any clock; None: the client has none.
            received_s: time of arrival, monotonic.
        """
        waited_s = math.inf
        if self._received_s is not None:
            waited_s = received_s - self._received_s
        elapsed_s = waited_s
        if captured_s is not None and self._captured_s is not None:
            elapsed_s = captured_s - self._captured_s
        self._captured_s = captured_s
        self._received_s = received_s
        new_scene = elapsed_s > RESTART_S or elapsed_s < -JUMP_BACK_S
        if elapsed_s <= 0:  # an equal or slightly earlier timestamp carries no time
            elapsed_s = waited_s
        self._time_s += min(max(elapsed_s, 1e-3), RESTART_S)
        return Tick(self._time_s, new_scene)
