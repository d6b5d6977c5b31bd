"""What a stream remembers from frame to frame."""

from dataclasses import replace

from models.records import Frame
from service.streams.clock import StreamClock
from service.streams.smoothing import PoseSmoother
from service.streams.tracking import Tracker


class Session:
    """Owns the identities, filters and clock of one stream. Its calls take turns: frames come in order."""

    def __init__(self) -> None:
        self._clock, self._tracker, self._smoother = StreamClock(), Tracker(), PoseSmoother()

    def forget(self) -> None:
        """Everyone of the next frame is new."""
        self._tracker.forget()
        self._smoother.forget()

    def follow(self, frame: Frame, captured_s: float | None, received_s: float) -> Frame:
        """The frame with ids, velocities and smoothed poses. NumPy work of a millisecond: belongs in a thread."""
        tick = self._clock.tick(captured_s, received_s)
        if tick.new_scene:
            self.forget()
        who = self._tracker.follow(frame.people, frame.camera, tick.time_s)
        poses = self._smoother.smoothed(frame.people, who.rows, tick.time_s)
        people = tuple(
            replace(person, id=int(id_), pose=pose, velocity_mm_s=velocity)
            for person, pose, id_, velocity in zip(frame.people, poses, who.ids, who.velocity_mm_s, strict=True))
        return replace(frame, people=people)
