"""What became of the frames of a stream, for its summary and for the metrics of the service."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as Total

from posecascade.models.records import Frame
from posecascade.service.wire.stream_messages import Summary

_SECONDS: Final = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)


class StreamMetrics:
    """Of all streams together."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge(
            "streams_open",
            "Streams that are open",
            namespace="posecascade",
            registry=registry,
        )
        self.frames = Total(
            "stream_frames",
            "Frames received by streams, by what became of them",
            ["outcome"],
            namespace="posecascade",
            registry=registry,
        )
        self.age_seconds = Histogram(
            "stream_age_seconds",
            "From a frame's receipt to its answer",
            buckets=_SECONDS,
            namespace="posecascade",
            registry=registry,
        )


@dataclass(slots=True)
class Counts:
    """Of one stream."""

    metrics: StreamMetrics
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
        """A frame is about to be sent."""
        self.answered += 1
        self.people = max(
            [
                self.people,
                *(person.id + 1 for person in frame.people if person.id is not None),
            ]
        )
        self.age_ms_sum += age_ms
        self.age_ms_max = max(self.age_ms_max, age_ms)
        self.stages.update(str(person.stage) for person in frame.people)
        self.metrics.frames.labels("answered").inc()
        self.metrics.age_seconds.observe(age_ms / 1000)

    def fail(self) -> None:
        """An error goes out in the place of an answer."""
        self.failed += 1
        self.metrics.frames.labels("failed").inc()

    def drop(self) -> None:
        """A newer frame took the place of one that waited."""
        self.dropped += 1
        self.metrics.frames.labels("dropped").inc()

    def summary(self, stream: str, seconds: float) -> Summary:
        """The summary message."""
        return Summary(
            stream=stream,
            seconds=round(seconds, 3),
            received=self.received,
            answered=self.answered,
            dropped=self.dropped,
            failed=self.failed,
            people=self.people,
            stages=dict(self.stages),
            age_ms_mean=round(self.age_ms_sum / max(self.answered, 1), 3),
            age_ms_max=round(self.age_ms_max, 3),
        )
