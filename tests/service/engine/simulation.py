"""The service under load in virtual time: frames arrive, wait, share one device, and are answered, deep or not.

Queues, batches, bounds and deadlines are models of those in `service.engine`; the policy, the pressure on it and the
controller of the load are the real ones. Nothing sleeps, and the same frames give the same answers.
"""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.policies import GainPolicy, LoadState, Policy
from posecascade.models.records import Stage, Stop
from posecascade.service.engine.driver import PLANNED
from posecascade.service.engine.load import LoadController
from posecascade.service.engine.pace import Pace
from tests.models.policies.rows import gain_of, table_of

COST_MS: Final = {Stage.COARSE: 27.6, Stage.REFINE: 9.2, Stage.EXPERT: 19.5}
"""Those of the manifest on the machine that it was measured on; here they are what a stage really takes."""
POLICY: Final = GainPolicy(
    {
        (Stage.COARSE, (Stage.REFINE,)): gain_of(48, -198),
        (Stage.COARSE, (Stage.EXPERT,)): gain_of(45, -188),
        (Stage.COARSE, (Stage.REFINE, Stage.EXPERT)): gain_of(63, -262),
        (Stage.REFINE, (Stage.EXPERT,)): gain_of(20, -92),
    }
)
"""Gains of about the size and spread that the shipped calibration predicts: at the median error of 150 mm 42 mm by
`refine`, 37 mm by `expert`, 54 mm by both; 8 mm more by `expert` for those whom `refine` has seen."""
LARGEST_BATCH: Final = {Stage.COARSE: 4, Stage.REFINE: 8, Stage.EXPERT: 8}
BOUND: Final = {Stage.COARSE: 16, Stage.REFINE: 64, Stage.EXPERT: 64}
Steps: TypeAlias = Generator[tuple[Stage, Indices], Stop | None, None]


@dataclass(slots=True, eq=False)
class SimulatedFrame:
    """One frame, and what became of it."""

    arrived_s: float
    deadline_s: float
    error_mm: Floats
    """[P] that its people are expected to have after `coarse`."""
    answered_s: float | None = None
    """None: refused, or without any answer at its deadline."""
    requested: set[int] = field(default_factory=set)
    """People who would have gone deeper on an idle machine."""
    deep: set[int] = field(default_factory=set)
    """People whom a deeper stage saw."""
    stop: dict[int, Stop] = field(default_factory=dict)


def traffic(
    phases: Sequence[tuple[float, float]], *, seed: int = 0, deadline_s: float = 10.0
) -> list[SimulatedFrame]:
    """Frames with one to twelve people each, at random moments (Poisson).

    Args:
        phases: how long each lasts, s, and how many frames come a second.
        seed: of everything.
        deadline_s: of each frame, from its arrival.
    """
    chance = np.random.default_rng(seed)
    frames = []
    began_s = 0.0
    for lasts_s, rate in phases:
        for arrived_s in began_s + np.sort(
            chance.uniform(0, lasts_s, chance.poisson(lasts_s * rate))
        ):
            error_mm = np.exp(chance.normal(np.log(150), 0.4, chance.integers(1, 13)))
            frames.append(
                SimulatedFrame(
                    float(arrived_s), float(arrived_s) + deadline_s, error_mm
                )
            )
        began_s += lasts_s
    return frames


@dataclass(slots=True, eq=False)
class _Job:
    stage: Stage
    rows: Indices
    frame: SimulatedFrame
    steps: Steps


class Simulation:
    """One device that all stages share, each with a queue of its own: n running batches each go at 1/n of the speed."""

    def __init__(
        self,
        *,
        policy: Policy = POLICY,
        budget_ms: float = np.inf,
        asked_price: float = 0.5,
        target_s: float = 0.05,
    ) -> None:
        """
        Args:
            policy: of all frames.
            budget_ms: of all frames, for their deeper stages.
            asked_price: of all frames, before the load's is added.
            target_s: waiting that is tolerated.
        """
        self.now_s = 0.0
        self.load = LoadController(target_s=target_s, clock=lambda: self.now_s)
        self._policy = policy
        self._budget_ms = budget_ms
        self._asked_price = asked_price
        self._queues: dict[Stage, deque[_Job]] = {stage: deque() for stage in Stage}
        self._running: dict[Stage, tuple[list[_Job], float]] = {}
        """Batch and its work that is left, in seconds of the whole device."""
        self._began_s: dict[Stage, float] = {}
        self._pace = {stage: Pace(cost) for stage, cost in COST_MS.items()}
        self._gone: set[_Job] = set()
        """Jobs whose frame was answered without them."""
        self.cut = 0
        """People whose deeper look was begun or queued, and then came too late."""

    def run(self, frames: Sequence[SimulatedFrame], *, every_s: float = 0.05) -> Floats:
        """Serves them all and returns [T, 2]: time and price, sampled."""
        samples = []
        due = deque(frames)
        end_s = frames[-1].arrived_s + 15
        while self.now_s < end_s:
            sample_s = len(samples) * every_s
            arrival_s = due[0].arrived_s if due else np.inf
            share = 1 / max(len(self._running), 1)
            finish_s, first = min(
                (
                    (self.now_s + left / share, stage)
                    for stage, (_, left) in self._running.items()
                ),
                default=(np.inf, None),
            )
            late = min(
                (job.frame.deadline_s for job in self._live_jobs()), default=np.inf
            )
            then_s = min(sample_s, arrival_s, finish_s, late)
            self._running = {
                stage: (jobs, left - (then_s - self.now_s) * share)
                for stage, (jobs, left) in self._running.items()
            }
            self.now_s = then_s
            if then_s == finish_s and first is not None:
                self._finish(first)
            elif then_s == late:
                self._time_out()
            elif then_s == arrival_s:
                frame = due.popleft()
                self._advance(frame, self._steps(frame), None)
            else:
                samples.append((self.now_s, self.load.price))
            self._start()
        return np.array(samples)

    def _advance(self, frame: SimulatedFrame, steps: Steps, reply: Stop | None) -> None:
        """As `service.engine.driver` does: a full queue refuses a frame, or costs its people the deeper look."""
        self.load.observe(max(self._wait_s(stage) for stage in Stage))
        try:
            stage, rows = steps.send(reply)
            while stage is not Stage.COARSE and 0 < self._waiting(stage) > BOUND[
                stage
            ] - len(rows):
                stage, rows = steps.send(Stop.LOAD)
        except StopIteration:
            frame.answered_s = self.now_s
            return
        if stage is not Stage.COARSE or self._waiting(stage) < BOUND[stage]:
            self._queues[stage].append(_Job(stage, rows, frame, steps))

    def _steps(self, frame: SimulatedFrame) -> Steps:
        """The cascade's steps, without pictures."""
        yield Stage.COARSE, np.array([0])
        at = np.full(len(frame.error_mm), 0)
        budget_ms = self._budget_ms
        for stage in (Stage.COARSE, Stage.REFINE):
            person_index = np.array(
                [
                    p
                    for p in np.flatnonzero(at == list(Stage).index(stage))
                    if p not in frame.stop
                ],
                np.intp,
            )
            table = replace(
                table_of(
                    frame.error_mm[person_index],
                    stage=stage,
                    price=self._asked_price,
                    budget_ms=budget_ms,
                ),
                cost_ms=COST_MS,
            )
            decision = LoadState(self.load.price, self._left_ms(frame)).decide(
                self._policy, POLICY, table
            )
            if stage is Stage.COARSE:
                frame.requested = set(range(len(person_index))) - set(
                    self._policy.decide(table).stop
                )
            frame.stop |= {
                int(person_index[row]): why for row, why in decision.stop.items()
            }
            for deeper, picked in (
                (Stage.REFINE, decision.refine),
                (Stage.EXPERT, decision.expert),
            ):
                if len(picked):
                    skipped = yield deeper, person_index[picked]
                    budget_ms -= len(picked) * COST_MS[deeper]
                    if skipped is None:
                        at[person_index[picked]] = list(Stage).index(deeper)
                        frame.deep |= set(person_index[picked].tolist())
                    else:
                        frame.stop |= dict.fromkeys(
                            person_index[picked].tolist(), skipped
                        )

    def _start(self) -> None:
        """The oldest job of each free stage, and those behind it that fit into its batch."""
        for stage, queue in self._queues.items():
            if queue and stage not in self._running:
                jobs = [queue.popleft()]
                while (
                    queue
                    and sum(len(job.rows) for job in (*jobs, queue[0]))
                    <= LARGEST_BATCH[stage]
                ):
                    jobs.append(queue.popleft())
                self._running[stage] = (
                    jobs,
                    sum(len(job.rows) for job in jobs) * COST_MS[stage] / 1000,
                )
                self._began_s[stage] = self.now_s

    def _finish(self, stage: Stage) -> None:
        jobs, _ = self._running.pop(stage)
        self._pace[stage].ran(
            sum(len(job.rows) for job in jobs), self.now_s - self._began_s[stage]
        )
        for job in jobs:
            if job not in self._gone:
                self._advance(job.frame, job.steps, None)

    def _time_out(self) -> None:
        for job in [
            job for job in self._live_jobs() if job.frame.deadline_s <= self.now_s
        ]:
            self._gone.add(job)
            if job in self._queues[job.stage]:
                self._queues[job.stage].remove(job)
            if job.stage is Stage.COARSE:
                self.load.lost()
            else:
                self.cut += len(job.rows)
                self._advance(job.frame, job.steps, Stop.DEADLINE)

    def _live_jobs(self) -> list[_Job]:
        jobs = [
            job
            for stage in Stage
            for job in (*self._queues[stage], *self._running.get(stage, ([], 0))[0])
        ]
        return [job for job in jobs if job not in self._gone]

    def _waiting(self, stage: Stage) -> int:
        return sum(len(job.rows) for job in self._queues[stage])

    def _wait_s(self, stage: Stage) -> float:
        """Until a job that is submitted now would begin."""
        jobs, _ = self._running.get(stage, ([], 0.0))
        items = sum(len(job.rows) for job in jobs)
        pace = self._pace[stage]
        left_s = max(
            items * pace.item_s - (self.now_s - self._began_s.get(stage, 0.0)), 0.0
        )
        return self._waiting(stage) * pace.item_s + left_s

    def _left_ms(self, frame: SimulatedFrame) -> float:
        deep = Stage.REFINE, Stage.EXPERT
        planned_s = PLANNED * (
            frame.deadline_s - self.now_s - max(self._wait_s(stage) for stage in deep)
        )
        return 1000 * planned_s / max(self._pace[stage].slowdown for stage in deep)
