"""What a stream remembers from frame to frame."""

from dataclasses import replace

from models.records import Frame
from models.reuse.memory import Memory
from service.streams.clock import StreamClock
from service.streams.smoothing import PoseSmoother
from service.streams.tracking import Tracker


class Session:
    """Owns the deep looks, identities, filters and clock of one stream. Its frames come in order and take turns: each
    begins, is looked at, and is followed, before the next one begins."""

    def __init__(self) -> None:
        self._clock, self._tracker, self._smoother = StreamClock(), Tracker(), PoseSmoother()
        self._memory, self._time_s = Memory(), 0.0

    def forget(self) -> None:
        """Everyone of the next frame is new."""
        self._memory.forget()
        self._tracker.forget()
        self._smoother.forget()

    def begin(self, captured_s: float | None, received_s: float) -> Memory:
        """A frame is about to be looked at: the memory that the cascade is to ask, which knows the time."""
        tick = self._clock.tick(captured_s, received_s)
        if tick.new_scene:
            self.forget()
        self._time_s = tick.time_s
        self._memory.begin(tick.time_s)
        return self._memory

    def follow(self, frame: Frame) -> Frame:
        """The frame that has begun, with ids, velocities and smoothed poses. NumPy work of a millisecond: belongs in a
        thread."""
        who = self._tracker.follow(frame.people, frame.camera, self._time_s)
        poses = self._smoother.smoothed(frame.people, who.rows, self._time_s)
        people = tuple(
            replace(person, id=int(id_), pose=pose, velocity_mm_s=velocity)
            for person, pose, id_, velocity in zip(frame.people, poses, who.ids, who.velocity_mm_s, strict=True))
        return replace(frame, people=people)
