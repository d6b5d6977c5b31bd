"""What Prometheus may know, in a registry of the service's own: two services in one process do not mix."""

from collections.abc import Callable
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from posecascade.models.records import Frame, Stage
from posecascade.service.engine.worker import StageRun

_SECONDS: Final = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.03,
    0.05,
    0.075,
    0.1,
    0.15,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
)
_ITEMS: Final = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """One per service; streams may add their own to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, namespace="posecascade", registry=self.registry)
        gauge = partial(Gauge, namespace="posecascade", registry=self.registry)
        seconds = partial(
            Histogram, namespace="posecascade", registry=self.registry, buckets=_SECONDS
        )
        self.requests = counter(
            "requests", "Requests answered", ["route", "status", "code"]
        )
        self.request_seconds = seconds(
            "request_seconds", "From headers to the end of the answer", ["route"]
        )
        self.frames = counter("frames", "Frames answered, of pictures and streams")
        self.frame_seconds = seconds("frame_seconds", "From decoded picture to answer")
        self.people = counter("people", "People answered", ["stage", "stop"])
        self.degraded = counter(
            "degraded_people", "People who were due a deeper stage and did not get it"
        )
        self.stage_items = counter(
            "stage_items", "Frames (coarse) or people (deeper) run", ["stage"]
        )
        self.stage_failures = counter(
            "stage_failures", "Batches that failed", ["stage"]
        )
        self.batch_items = Histogram(
            "stage_batch_items",
            "Items run together",
            ["stage"],
            buckets=_ITEMS,
            namespace="posecascade",
            registry=self.registry,
        )
        self.batch_seconds = seconds("stage_batch_seconds", "One batch", ["stage"])
        self.wait_seconds = seconds(
            "stage_wait_seconds", "The longest wait of a batch's jobs", ["stage"]
        )
        self._queue = gauge("stage_queue_items", "Items that wait", ["stage"])
        self._load_price = gauge(
            "load_price", "mm that one more millisecond must remove, added under load"
        )
        self._ready = gauge("ready", "1 while requests are served")

    def watch(
        self, *, ready: Callable[[], bool], load_price: Callable[[], float]
    ) -> None:
        """Read on demand."""
        self._ready.set_function(lambda: float(ready()))
        self._load_price.set_function(load_price)

    def watch_queue(self, stage: Stage, waiting: Callable[[], int]) -> None:
        self._queue.labels(stage).set_function(lambda: float(waiting()))

    def count_run(self, run: StageRun) -> None:
        if run.failed:
            self.stage_failures.labels(run.stage).inc()
            return
        self.stage_items.labels(run.stage).inc(run.items)
        self.batch_items.labels(run.stage).observe(run.items)
        self.batch_seconds.labels(run.stage).observe(run.seconds)
        self.wait_seconds.labels(run.stage).observe(run.waited_s)

    def count_frame(self, frame: Frame, seconds: float) -> None:
        self.frames.inc()
        self.frame_seconds.observe(seconds)
        for person in frame.people:
            self.people.labels(person.stage, person.stop).inc()
            self.degraded.inc(person.degraded)
