"""Runs the cascade over one frame: its steps in a thread, its batches through the queues of the stages."""

import asyncio
import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.policies import LoadState
from posecascade.models.records import Frame, Stage, Stop
from posecascade.models.runners.base import StageBatch
from posecascade.service.engine.load import LoadController
from posecascade.service.engine.threads import Threads
from posecascade.service.engine.worker import Answer, StageWorker
from posecascade.service.errors import Overloaded

Steps: TypeAlias = Generator[StageBatch, dict[str, NDArray[Any]], Frame]
_DEEP: Final = (Stage.REFINE, Stage.EXPERT)
PLANNED: Final = 0.8
"""Share of the time that is left to plan deeper stages for: other frames arrive while they run."""
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

    begin: Callable[[Callable[[], LoadState]], Steps]
    """The cascade's steps under a load state."""
    workers: Mapping[Stage, StageWorker]
    threads: Threads
    """For the arithmetic between the stages: crops, routing."""
    clock: FrameClock
    deadline_s: float
    """In the loop's time."""
    budget_s: float | None
    """For the deeper stages, from the end of the first one."""
    load: LoadController
    load_state: LoadState = field(default_factory=LoadState, init=False)
    """As of the last reply to the cascade, which works in a thread and must not read the queues."""
    budget_until_s: float = field(default=math.inf, init=False)
    """In the loop's time."""

    async def run(self) -> Frame:
        """
        Raises:
            Overloaded: the first stage's queue is full, or the deadline passed before its answer.
            StageDown: the first stage failed.
            Draining: the service is closing.
        """
        steps = self.begin(lambda: self.load_state)
        reply = None
        while True:
            self.load.observe(max(worker.wait_s() for worker in self.workers.values()))
            self.load_state = LoadState(self.load.price, self._left_ms())
            step = await self.threads.run(
                _advance, steps, reply, self.clock, time.perf_counter()
            )
            if isinstance(step, Frame):
                return step
            reply = await (
                self._run_coarse(step) if reply is None else self._run_deep(step)
            )

    def _left_ms(self) -> float:
        """Time for deeper stages, at the manifest's costs: until the deadline, and of the budget, less the wait."""
        deep = [self.workers[stage] for stage in _DEEP]
        wait_s = max(worker.wait_s() for worker in deep)
        planned_s = PLANNED * (
            self.deadline_s - asyncio.get_running_loop().time() - wait_s
        )
        budget_s = math.inf if self.budget_s is None else self.budget_s - wait_s
        return 1000 * min(
            planned_s / max(worker.pace.slowdown for worker in deep), budget_s
        )

    async def _run_coarse(self, batch: StageBatch) -> Reply:
        try:
            reply = await self._outputs(batch)
        except TimeoutError:
            self.load.lost()
            raise Overloaded(
                "the deadline passed before the first stage had answered"
            ) from None
        except StageDown as error:
            return error  # the steps decide what that means
        if self.budget_s is not None:
            self.budget_until_s = asyncio.get_running_loop().time() + self.budget_s
        return reply

    async def _run_deep(self, batch: StageBatch) -> Reply:
        """Whatever fails in a deeper stage, the frame keeps its estimates."""
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


def _advance(
    steps: Steps, reply: Reply, clock: FrameClock, submitted_s: float
) -> StageBatch | Frame:
    """The cascade's next batch, or its frame: a future cannot carry StopIteration."""
    for_thread_s = time.perf_counter() - submitted_s
    clock.waited_s += for_thread_s
    clock.for_threads_s += for_thread_s
    try:
        return steps.throw(reply) if isinstance(reply, Exception) else steps.send(reply)  # type: ignore[arg-type]  # None starts it
    except StopIteration as finished:
        frame: Frame = finished.value
        return frame
