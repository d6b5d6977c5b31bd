"""The cascade as a service: loaded once, shared by many requests, never run on the event loop."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from posecascade.models.arrays import Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import StageDown
from posecascade.models.manifest import Manifest
from posecascade.models.options import Options
from posecascade.models.policies import LoadState
from posecascade.models.records import Frame, Stage
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.service.engine.driver import FrameClock, FrameDriver, Steps
from posecascade.service.engine.load import LoadController
from posecascade.service.engine.threads import Threads
from posecascade.service.engine.worker import StageWorker
from posecascade.service.errors import (
    Draining,
    Overloaded,
    PoseCascadeError,
    StageUnavailable,
    Starting,
)
from posecascade.service.media.decode import DecodedImage, Limits, decode
from posecascade.service.metrics import Metrics
from posecascade.service.settings import Settings
from posecascade.service.wire.timing import accounted

log = logging.getLogger(__name__)
BROKEN_AFTER = 5
"""Failures of the first stage in a row that no restart of a single frame will cure."""


class State(StrEnum):
    """Of the whole service."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"
    """It did not start, or the first stage fails again and again: only a restart helps."""


@dataclass(frozen=True, slots=True)
class _Serving:
    """What exists while requests are served."""

    cascade: Cascade
    workers: Mapping[Stage, StageWorker]


class Engine:
    """Owns the cascade, its stage workers and the threads that decode and cut."""

    def __init__(
        self, settings: Settings, load: Callable[[], Cascade], metrics: Metrics
    ) -> None:
        """
        Args:
            settings: bounds, limits and threads.
            load: called once, in a thread; what it raises becomes the reason of `FAILED`.
            metrics: counts every frame and batch.
        """
        self._settings = settings
        self._load_cascade = load
        self._metrics = metrics
        self._limits = Limits(settings.max_bytes, settings.max_pixels)
        self._load = LoadController(target_s=settings.queue_target_ms / 1000)
        self._decoders = Threads(settings.threads, "decode")
        self._cutters = Threads(settings.threads, "cascade")
        self._decoding = 0
        self._draining = False
        self._serving: _Serving | None = None
        self._fault: str | None = None
        metrics.watch(
            ready=lambda: self.state is State.READY, load_price=lambda: self._load.price
        )

    @property
    def state(self) -> State:
        if self._fault or self._broken_stage():
            return State.FAILED
        if self._draining:
            return State.DRAINING
        return State.READY if self._serving else State.STARTING

    def refusal(self) -> PoseCascadeError | None:
        """Why nothing is served just now; None when it is."""
        match self.state:
            case State.STARTING:
                return Starting(
                    "the weights are being loaded and warmed up; ask again soon"
                )
            case State.DRAINING:
                return Draining("the service is shutting down; ask another one")
            case State.FAILED:
                return StageUnavailable(
                    self._fault
                    or f"{self._broken_stage()} failed {BROKEN_AFTER} times in a row"
                )
        return None

    def admit(self) -> None:
        """Call it before new work is taken on; `infer` itself finishes what was taken on before a drain.

        Raises:
            Starting, Draining, StageUnavailable: nothing new is served.
        """
        if (refusal := self.refusal()) is not None:
            raise refusal

    @property
    def manifest(self) -> Manifest:
        """
        Raises:
            Starting, StageUnavailable: it is not loaded.
        """
        return self._loaded().cascade.manifest

    @property
    def policies(self) -> tuple[str, ...]:
        """Names that `Options.policy` may take. Raises as `manifest` does."""
        return self._loaded().cascade.policies

    def providers(self) -> dict[Stage, str]:
        """What each stage really runs on. Raises as `manifest` does."""
        return {
            stage: worker.provider for stage, worker in self._loaded().workers.items()
        }

    def failures(self) -> dict[Stage, int]:
        """Batches that each stage failed in a row."""
        return (
            {stage: worker.failures for stage, worker in self._serving.workers.items()}
            if self._serving
            else {}
        )

    def drain(self) -> None:
        """Takes nothing new from now on; what is under way is finished."""
        self._draining = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Loads beside the body, serves while it runs, and frees everything after it."""
        stopped = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(stopped))
            try:
                yield
            finally:
                self.drain()
                stopped.set()

    async def decode(self, data: bytes) -> DecodedImage:
        """The picture in `data`, decoded in a thread.

        Raises:
            Overloaded: too many pictures are being decoded.
            EmptyBody, TooManyBytes, TooManyPixels, UnsupportedMedia, BadImage: see `posecascade.service.media.decode`.
        """
        if self._decoding >= self._settings.max_decoding:
            raise Overloaded(f"{self._decoding} pictures are being decoded")
        self._decoding += 1
        try:
            picture = await self._decoders.run(
                _decoded, data, self._limits, time.perf_counter()
            )
        finally:
            self._decoding -= 1
        self._load.observe(picture.queued_ms / 1000)
        return picture

    async def infer(
        self,
        image_bgr: Image,
        options: Options,
        *,
        deadline: float | None = None,
        memory: Memory | None = None,
    ) -> Frame:
        """The people in a picture. A caller who is cancelled costs no further inference.

        Args:
            image_bgr: not written to, and kept until the answer.
            options: validated; see `posecascade.service.http.parameters`.
            deadline: in the loop's time; deeper stages are skipped to meet it. None: `answer_timeout_s` from now.
            memory: of the stream that the picture is a frame of; no two frames may be at it at a time.

        Returns:
            The frame; its `timing_ms` has a `queue` too and adds up to its `total`.

        Raises:
            Starting, Draining, Overloaded, StageUnavailable: not now, see each.
        """
        serving = self._loaded()
        began_s = time.perf_counter()
        clock = FrameClock()
        if deadline is None:
            deadline = (
                asyncio.get_running_loop().time() + self._settings.answer_timeout_s
            )

        def begin(load_state: Callable[[], LoadState]) -> Steps:
            return serving.cascade.steps(
                image_bgr, options, load_state=load_state, clock=clock, memory=memory
            )

        budget_s = None if options.budget_ms is None else options.budget_ms / 1000
        try:
            driver = FrameDriver(
                begin,
                serving.workers,
                self._cutters,
                clock,
                deadline,
                budget_s,
                self._load,
            )
            frame = await driver.run()
        except StageDown as error:
            raise StageUnavailable(str(error)) from error
        took_s = time.perf_counter() - began_s
        self._load.observe(clock.for_threads_s)
        self._metrics.count_frame(frame, took_s)
        return replace(
            frame,
            timing_ms=accounted(
                frame.timing_ms | {"queue": clock.waited_s * 1000}, took_s * 1000
            ),
        )

    def _loaded(self) -> _Serving:
        if self._serving is None:
            raise self.refusal() or Starting("the weights are being loaded")
        return self._serving

    def _broken_stage(self) -> Stage | None:
        """Only the first stage is needed for an answer."""
        return (
            Stage.COARSE
            if self.failures().get(Stage.COARSE, 0) >= BROKEN_AFTER
            else None
        )

    async def _serve(self, stopped: asyncio.Event) -> None:
        """Owns the cascade from its loading to its end."""
        try:
            cascade = await asyncio.to_thread(self._warm_cascade)
        except Exception as error:
            self._fault = f"the service did not start: {error}"
            log.error("%s", self._fault, exc_info=error)
            return
        try:
            async with AsyncExitStack() as stack:
                workers = {
                    stage: self._worker(cascade, stage) for stage in cascade.runners
                }
                for worker in workers.values():
                    await stack.enter_async_context(worker.running())
                self._serving = _Serving(cascade, workers)
                await stopped.wait()
        finally:
            await self._decoders.close()
            await self._cutters.close()
            cascade.close()

    def _warm_cascade(self) -> Cascade:
        began_s = time.perf_counter()
        cascade = self._load_cascade()
        cascade.warm_up()
        log.info(
            "%s %s ready after %.1f s",
            cascade.manifest.name,
            cascade.manifest.version,
            time.perf_counter() - began_s,
        )
        return cascade

    def _worker(self, cascade: Cascade, stage: Stage) -> StageWorker:
        bound = (
            self._settings.coarse_queue
            if stage is Stage.COARSE
            else self._settings.deep_queue
        )
        worker = StageWorker(
            stage,
            cascade.runners[stage],
            buckets=cascade.manifest.stages[stage].batch_buckets,
            bound=bound,
            cost_ms=cascade.manifest.stages[stage].cost_ms,
            on_run=self._metrics.count_run,
        )
        self._metrics.watch_queue(stage, worker.waiting)
        return worker


def _decoded(data: bytes, limits: Limits, asked_s: float) -> DecodedImage:
    """In a thread; notes how long it waited for it."""
    queued_ms = (time.perf_counter() - asked_s) * 1000
    return replace(decode(data, limits), queued_ms=queued_ms)
