"""Runs the cascade over one frame: its steps in a thread, its batches through the queues of the stages."""

import asyncio
import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from models.errors import DeepStagesSkipped, StageDown
from models.records import Frame, Stage, Stop
from models.routers import Pressure
from models.runners.base import StageBatch
from service.engine.load import LoadController
from service.engine.threads import Threads
from service.engine.worker import Answer, StageWorker
from service.errors import Overloaded

Steps: TypeAlias = Generator[StageBatch, dict[str, NDArray[Any]], Frame]
_DEEP: Final = (Stage.REFINE, Stage.EXPERT)
PLANNED: Final = 0.8
"""Share of the time that is left to plan deeper looks for: others arrive while they run."""
Reply: TypeAlias = dict[str, NDArray[Any]] | Exception | None


@dataclass(slots=True)
class FrameClock:
    """Seconds that a frame was worked on: stands still while the frame waits in a queue."""

    waited_s: float = 0.0
    for_threads_s: float = 0.0
    """Of it, for a thread between the stages."""

    def __call__(self) -> float:
        return time.perf_counter() - self.waited_s


@dataclass(slots=True)
class FrameDriver:
    """One frame on its way through the stages."""

    begin: Callable[[Callable[[], Pressure]], Steps]
    """The cascade's steps under a pressure."""
    workers: Mapping[Stage, StageWorker]
    threads: Threads
    """For the arithmetic between the stages: crops, routing."""
    clock: FrameClock
    deadline_s: float
    """In the loop's time."""
    budget_s: float | None
    """For the deeper stages, from the end of the first one."""
    load: LoadController
    pressure: Pressure = field(default_factory=Pressure, init=False)
    """When the cascade was last told something; it works in a thread, which must not look at the queues."""
    budget_until_s: float = field(default=math.inf, init=False)
    """In the loop's time."""

    async def run(self) -> Frame:
        """
        Raises:
            Overloaded: the first stage's queue is full, or the deadline passed before its answer.
            StageDown: the first stage failed.
            Draining: the service is closing.
        """
        steps, reply = self.begin(lambda: self.pressure), None
        while True:
            self.load.observe(max(worker.wait_s() for worker in self.workers.values()))
            self.pressure = Pressure(self.load.price, self._left_ms())
            step = await self.threads.run(_advance, steps, reply, self.clock, time.perf_counter())
            if isinstance(step, Frame):
                return step
            reply = await (self._look(step) if reply is None else self._look_deeper(step))

    def _left_ms(self) -> float:
        """For deeper looks, at the manifest's costs: until the deadline, and of the budget, without what they wait."""
        deep = [self.workers[stage] for stage in _DEEP]
        wait_s = max(worker.wait_s() for worker in deep)
        planned_s = PLANNED * (self.deadline_s - asyncio.get_running_loop().time() - wait_s)
        budget_s = math.inf if self.budget_s is None else self.budget_s - wait_s
        return 1000 * min(planned_s / max(worker.pace.slowdown for worker in deep), budget_s)

    async def _look(self, batch: StageBatch) -> Reply:
        try:
            reply = await self._outputs(batch)
        except TimeoutError:
            self.load.lost()
            raise Overloaded("the deadline passed before the first stage had answered") from None
        except StageDown as error:
            return error  # the steps decide what that means
        if self.budget_s is not None:
            self.budget_until_s = asyncio.get_running_loop().time() + self.budget_s
        return reply

    async def _look_deeper(self, batch: StageBatch) -> Reply:
        """Whatever goes wrong with a deeper look, the frame keeps what it has."""
        try:
            return await self._outputs(batch)
        except TimeoutError:
            return DeepStagesSkipped(Stop.DEADLINE)
        except Overloaded:
            return DeepStagesSkipped(Stop.LOAD)
        except StageDown as error:
            return error

    async def _outputs(self, batch: StageBatch) -> dict[str, NDArray[Any]]:
        async with asyncio.timeout_at(min(self.deadline_s, self.budget_until_s)):
            answer: Answer = await self.workers[batch.stage].submit(batch.inputs)
        self.clock.waited_s += answer.waited_s
        return answer.outputs


def _advance(steps: Steps, reply: Reply, clock: FrameClock, asked_s: float) -> StageBatch | Frame:
    """The cascade's next wish, or its answer: a future cannot carry StopIteration."""
    for_thread_s = time.perf_counter() - asked_s
    clock.waited_s += for_thread_s
    clock.for_threads_s += for_thread_s
    try:
        return steps.throw(reply) if isinstance(reply, Exception) else steps.send(reply)  # type: ignore[arg-type]  # None starts it
    except StopIteration as finished:
        frame: Frame = finished.value
        return frame
