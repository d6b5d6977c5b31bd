"""Runs the cascade over one frame: its steps in a thread, its batches through the queues of the stages."""

import asyncio
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from models.cascade import DeepStagesSkipped
from models.errors import StageDown
from models.records import Frame, Stage, Stop
from models.runners.base import StageBatch
from service.engine.threads import Threads
from service.engine.worker import Answer, StageWorker
from service.errors import Overloaded

Steps: TypeAlias = Generator[StageBatch, dict[str, NDArray[Any]], Frame]
Reply: TypeAlias = dict[str, NDArray[Any]] | Exception | None


@dataclass(slots=True)
class FrameClock:
    """Seconds that a frame was worked on: stands still while the frame waits in a queue."""

    waited_s: float = 0.0

    def __call__(self) -> float:
        return time.perf_counter() - self.waited_s


@dataclass(slots=True)
class FrameDriver:
    """One frame on its way through the stages."""

    steps: Steps
    workers: Mapping[Stage, StageWorker]
    threads: Threads
    """For the arithmetic between the stages: crops, routing."""
    clock: FrameClock
    deadline_s: float
    """In the loop's time."""
    budget_s: float | None
    """For the deeper stages, from the end of the first one."""

    async def run(self) -> Frame:
        """
        Raises:
            Overloaded: the first stage's queue is full, or the deadline passed before its answer.
            StageDown: the first stage failed.
            Draining: the service is closing.
        """
        reply: Reply = None
        while True:
            step = await self.threads.run(_advance, self.steps, reply, self.clock, time.perf_counter())
            if isinstance(step, Frame):
                return step
            reply = await (self._look(step) if step.stage is Stage.COARSE else self._look_deeper(step))

    async def _look(self, batch: StageBatch) -> Reply:
        try:
            reply = await self._outputs(batch)
        except TimeoutError:
            raise Overloaded("the deadline passed before the first stage had answered") from None
        except StageDown as error:
            return error  # the steps decide what that means
        if self.budget_s is not None:
            self.deadline_s = min(self.deadline_s, asyncio.get_running_loop().time() + self.budget_s)
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
        async with asyncio.timeout_at(self.deadline_s):
            answer: Answer = await self.workers[batch.stage].submit(batch.inputs)
        self.clock.waited_s += answer.waited_s
        return answer.outputs


def _advance(steps: Steps, reply: Reply, clock: FrameClock, asked_s: float) -> StageBatch | Frame:
    """The cascade's next wish, or its answer: a future cannot carry StopIteration."""
    clock.waited_s += time.perf_counter() - asked_s  # for this thread
    try:
        return steps.throw(reply) if isinstance(reply, Exception) else steps.send(reply)  # type: ignore[arg-type]  # None starts it
    except StopIteration as finished:
        frame: Frame = finished.value
        return frame
