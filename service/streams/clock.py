"""The time of a stream, which only goes forward whatever the stamps of the client do."""

import math
from dataclasses import dataclass

RESTART_S = 10.0
"""A pause longer than this is a new scene: nobody is expected to be where they were."""

JUMP_BACK_S = 1.0
"""Stamps that go back by more than this are a new scene too: a clip that was wound back, a clock that was set."""


@dataclass(frozen=True, slots=True)
class Tick:
    """When a frame is, for filters and tracks."""

    time_s: float
    """Later than the tick before."""
    new_scene: bool


class StreamClock:
    """Trusts capture stamps while they move forward, else goes by when frames arrived."""

    def __init__(self) -> None:
        self._time_s = 0.0
        self._captured_s: float | None = None
        self._received_s: float | None = None

    def tick(self, captured_s: float | None, received_s: float) -> Tick:
        """
        Args:
            captured_s: the client's stamp, on any clock; None: the client has none.
            received_s: monotonic.
        """
        waited = math.inf if self._received_s is None else received_s - self._received_s
        stamped = waited
        if captured_s is not None and self._captured_s is not None:
            stamped = captured_s - self._captured_s
        self._captured_s, self._received_s = captured_s, received_s
        new_scene = stamped > RESTART_S or stamped < -JUMP_BACK_S
        # Equal and slightly earlier stamps tell nothing (a client that sends zeros, say): arrival does.
        elapsed = stamped if stamped > 0 else waited
        self._time_s += min(max(elapsed, 1e-3), RESTART_S)
        return Tick(self._time_s, new_scene)
