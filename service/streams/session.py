"""What a stream remembers from frame to frame."""

from collections import Counter
from dataclasses import dataclass, field, replace

from models.records import Frame
from service.streams.clock import StreamClock
from service.streams.smoothing import PoseSmoother
from service.streams.tracking import Tracker


@dataclass(slots=True)
class Counts:
    """What became of the frames of a stream."""

    received: int = 0
    answered: int = 0
    dropped: int = 0
    """Skipped for a newer one."""
    failed: int = 0
    """Answered by an error."""
    people: int = 0
    """Ids given."""
    age_ms_sum: float = 0.0
    age_ms_max: float = 0.0
    stages: Counter[str] = field(default_factory=Counter)
    """People by the stage that answered."""

    def answer(self, frame: Frame, age_ms: float) -> None:
        """A frame went out."""
        self.answered += 1
        self.people = max([self.people, *(person.id + 1 for person in frame.people if person.id is not None)])
        self.age_ms_sum += age_ms
        self.age_ms_max = max(self.age_ms_max, age_ms)
        self.stages.update(str(person.stage) for person in frame.people)


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
