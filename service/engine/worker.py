"""The queue of one stage: waiting jobs, batching, refusals."""

import asyncio
import logging
import time
from asyncio import Future
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.errors import StageDown
from posecascade.models.records import Stage
from posecascade.models.runners.base import Arrays, Runner
from posecascade.service.engine.pace import Pace
from posecascade.service.engine.threads import Threads
from posecascade.service.errors import Draining, Overloaded

log = logging.getLogger(__name__)
Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Outputs of a stage for one job."""

    outputs: Outputs
    waited_s: float
    """From `submit` until the stage began."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """One batch that a stage has run."""

    stage: Stage
    items: int
    seconds: float
    waited_s: float
    """The longest wait of its jobs."""
    failed: bool


@dataclass(slots=True, eq=False)
class Job:
    """The crops of one frame, or the frame itself for `coarse`."""

    inputs: Arrays
    answer: Future[Answer]
    submitted_s: float
    items: int = field(init=False)

    def __post_init__(self) -> None:
        self.items = len(next(iter(self.inputs.values())))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Only jobs of equal shapes can share a batch."""
        return {name: array.shape[1:] for name, array in self.inputs.items()}


class StageWorker:
    """Owns the queue of one stage: its only reader, and the stage's only caller."""

    def __init__(
        self,
        stage: Stage,
        runner: Runner,
        *,
        buckets: Sequence[int],
        bound: int,
        cost_ms: float,
        on_run: Callable[[StageRun], None],
    ) -> None:
        """
        Args:
            stage: for names and messages.
            runner: not closed here.
            buckets: batch sizes that the stage is warm for.
            bound: items that may wait.
            cost_ms: of one item, as the manifest states it, until some are measured.
            on_run: called after every batch, on the loop.
        """
        self.stage = stage
        self._runner = runner
        self._bound = bound
        self._on_run = on_run
        self._buckets = tuple(sorted({1, *buckets}, reverse=True))
        self._thread = Threads(1, f"stage-{stage}")
        self._jobs: deque[Job] = deque()
        self._running: list[Job] = []
        self._began_s = 0.0
        self.pace = Pace(cost_ms)
        self._arrived = asyncio.Event()
        self._closed = False
        self.failures = 0
        """Batches failed in a row."""

    @property
    def provider(self) -> str:
        return self._runner.provider

    def waiting(self) -> int:
        """Items in the queue whose caller is still there."""
        return sum(job.items for job in self._jobs if not job.answer.done())

    def wait_s(self) -> float:
        """Expected, from now until a job that is submitted now begins."""
        running_s = sum(job.items for job in self._running) * self.pace.item_s
        left_s = max(running_s - (time.perf_counter() - self._began_s), 0.0)
        return self.waiting() * self.pace.item_s + (left_s if self._running else 0.0)

    def submit(self, inputs: Arrays) -> Future[Answer]:
        """Refuses at once rather than queue without bound. Cancelling the future takes the job out of the queue.

        Raises:
            Overloaded: the queue is full; an empty one takes a job of any size.
            Draining: the worker is closing.
        """
        if self._closed:
            raise Draining(f"{self.stage} is closing")
        job = Job(
            inputs, asyncio.get_running_loop().create_future(), time.perf_counter()
        )
        waiting = self.waiting()
        if waiting and waiting + job.items > self._bound:
            raise Overloaded(
                f"{self.stage}: {waiting} of {self._bound} places taken, {job.items} more requested"
            )
        self._jobs.append(job)
        self._arrived.set()
        return job.answer

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answers while the body runs; afterwards nobody is left waiting and no thread is left in the runner."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._answer_batches())
            try:
                yield
            finally:
                self._closed = True
                reader.cancel()
                for job in (*self._running, *self._jobs):
                    _fail(job, Draining(f"{self.stage} is closing"))
        await self._thread.close()

    async def _answer_batches(self) -> None:
        while True:
            await self._arrived.wait()
            self._running = self._next_jobs()
            if self._running:
                await self._answer(self._running)
                self._running = []

    def _next_jobs(self) -> list[Job]:
        """The oldest job, and those behind it that fit into its batch. Jobs whose caller left are dropped."""
        live = [job for job in self._jobs if not job.answer.done()]
        taken: list[Job] = []
        for job in live:
            fits = sum(other.items for other in taken) + job.items <= self._buckets[0]
            if not taken or (fits and job.shapes == taken[0].shapes):
                taken.append(job)
        self._jobs = deque(job for job in live if job not in taken)
        if not self._jobs:
            self._arrived.clear()
        return taken

    async def _answer(self, jobs: Sequence[Job]) -> None:
        self._began_s = began_s = time.perf_counter()
        failed = False
        items = sum(job.items for job in jobs)
        try:
            outputs = await self._thread.run(self._run, jobs)
        except Exception as error:  # whatever a runtime raises, the queue goes on
            if len(jobs) > 1:  # one frame must not take others down with it
                for job in jobs:
                    await self._answer([job])
                return
            failed = True
            self._failed(jobs[0], error)
        else:
            self.failures = 0
            self.pace.ran(items, time.perf_counter() - began_s)
            for job, part in zip(jobs, outputs, strict=True):
                if not job.answer.done():
                    job.answer.set_result(Answer(part, began_s - job.submitted_s))
        self._on_run(
            StageRun(
                self.stage,
                items,
                time.perf_counter() - began_s,
                began_s - min(job.submitted_s for job in jobs),
                failed,
            )
        )

    def _failed(self, job: Job, error: Exception) -> None:
        self.failures += 1
        log.error("%s failed on a batch of %d", self.stage, job.items, exc_info=error)
        down = StageDown(f"{self.stage} failed: {type(error).__name__}")
        down.__cause__ = error
        _fail(job, down)

    def _run(self, jobs: Sequence[Job]) -> list[Outputs]:
        """The jobs as batches of warm sizes; in a thread. Copies only where jobs are merged or split."""
        merged = {
            name: _joined([job.inputs[name] for job in jobs]) for name in jobs[0].inputs
        }
        ran = []
        for first, last in pairwise(
            _edges(batch_sizes(sum(job.items for job in jobs), self._buckets))
        ):
            ran.append(
                self._runner.run(
                    {name: array[first:last] for name, array in merged.items()}
                )
            )
        outputs = {name: _joined([part[name] for part in ran]) for name in ran[0]}
        spans = pairwise(_edges(job.items for job in jobs))
        return [
            {name: array[first:last] for name, array in outputs.items()}
            for first, last in spans
        ]


def batch_sizes(items: int, buckets: Sequence[int]) -> list[int]:
    """Sizes that add up to `items`, each one of `buckets` (descending, the last is 1): no padding is computed."""
    sizes = []
    for bucket in buckets:
        sizes += [bucket] * (items // bucket)
        items %= bucket
    return sizes


def _edges(sizes: Iterable[int]) -> list[int]:
    edges = [0]
    for size in sizes:
        edges.append(edges[-1] + size)
    return edges


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _fail(job: Job, error: Exception) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)
