"""Reuse of deep looks, idea by idea: all films one after the other as a single stream, so that every join is a cut."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from models.arrays import Floats
from models.assignment import matched
from models.cascade import Cascade
from models.evaluation.streams.charged import charged
from models.evaluation.streams.once import Once
from models.evaluation.streams.shots import Shot
from models.evaluation.systems import RoutedBy
from models.looks import sizes
from models.options import Options, Quality
from models.records import Frame, Person, Stage
from models.reuse.memory import Memory
from models.reuse.settings import TARGET_MM, Reuse

NO_REUSE: Final = "no reuse"
SHIPPED, TOGETHER = "decision, carried, weighed (as it ships)", "all together"
IDEAS: Final[Mapping[str, Reuse]] = {
    "every frame, weighed": Reuse(decide=False, every=1),
    "clock, held": Reuse(clock=True, carry=False, decide=False, weigh=False),
    "decision, held": Reuse(carry=False, weigh=False),
    "carried, every 4th": Reuse(decide=False, every=4, weigh=False),
    "clock, carried": Reuse(clock=True, decide=False, weigh=False),
    "decision, carried": Reuse(weigh=False),
    SHIPPED: Reuse(),
    TOGETHER: Reuse(clock=True),
}
"""The ideas, each alone and together; `held` is without `carried`."""

FARTHEST: Final = 0.5
"""Mean distance in the picture, in sizes, up to which answers of two systems to one frame may be of one person."""

Stream = Callable[[], Iterable[Shot]]
"""Shows its shots as often as it is called."""


@dataclass(slots=True)
class Run:
    """What one system said of a stream."""

    frames: list[Frame] = field(default_factory=list)
    looks: dict[Stage, int] = field(default_factory=lambda: {Stage.REFINE: 0, Stage.EXPERT: 0})
    """That each deep stage was asked for."""
    frame_ms: list[float] = field(default_factory=list)
    """Deep time of each frame at the manifest's costs."""

    @property
    def people(self) -> int:
        return sum(len(frame.people) for frame in self.frames)

    @property
    def person_ms(self) -> float:
        """Deep time of a person and frame at the manifest's costs."""
        return sum(self.frame_ms) / max(self.people, 1)

    def add(self, frame: Frame, asked: Mapping[Stage, int], costs_ms: Mapping[Stage, float]) -> None:
        """A frame's answer and the items that each stage was asked for."""
        self.frames.append(frame)
        self.looks = {stage: count + asked.get(stage, 0) for stage, count in self.looks.items()}
        self.frame_ms.append(sum(asked.get(stage, 0) * costs_ms[stage] for stage in self.looks))


def run_reuse(cascade: Cascade, streams: Sequence[Stream], quality: Quality, target_mm: float | None) -> dict[str, Run]:
    """Each frame by itself, on the terms of a stream's frame, every idea, then fixed alternation and a coin with about
    as many looks as what ships.

    Args:
        streams: films, shown one after the other without a pause.
        target_mm: see `Options.reuse_target_mm`; None: as fitted, at `best` too, where nothing else is reused.
    """
    fitted = cascade.manifest.calibration.reuse
    target_mm = target_mm or (fitted.target_mm if fitted else TARGET_MM)
    shared = Cascade(cascade.manifest, {stage: Once(runner) for stage, runner in cascade.runners.items()})
    options = Options(quality=quality)
    terms = (*shared.policy_of(options, lasting=True), shared.budget_of(options, lasting=True))
    runs = streamed(RoutedBy(shared, *terms), streams, {NO_REUSE: None}, quality, target_mm)
    runs |= streamed(shared, streams, IDEAS, quality, target_mm)
    most, ours = (sum(runs[name].looks.values()) for name in (NO_REUSE, SHIPPED))
    share = float(np.clip(ours / max(most, 1), 0.01, 1.0))
    every = Reuse(decide=False, every=max(1, round(1 / share)))
    coin = Reuse(decide=False, coin=share)
    chance = {f"{name}, {how}": reuse for name, blind in ((f"every {every.every}", every), (f"coin {share:.2f}", coin))
              for how, reuse in (("held", replace(blind, carry=False, weigh=False)), ("carried, weighed", blind))}
    return runs | streamed(shared, streams, chance, quality, target_mm)


def streamed(cascade: Cascade, streams: Sequence[Stream], ideas: Mapping[str, Reuse | None], quality: Quality,
             target_mm: float | None) -> dict[str, Run]:
    """The streams one after the other, once for each of the ideas, at the manifest's costs.

    Args:
        ideas: settings of reuse by name; None: each frame by itself.
        target_mm: see `Options.reuse_target_mm`.
    """
    runs = {name: Run() for name in ideas}
    costs_ms = {stage: spec.cost_ms for stage, spec in cascade.manifest.stages.items()}
    memories = {name: Memory(reuse) for name, reuse in ideas.items() if reuse is not None}
    began_s = 0.0
    for stream in streams:
        time_s = began_s
        times: list[float] = []
        for shot in stream():
            times.append(shot.time_s)
            time_s = began_s + shot.time_s - times[0]
            options = Options(quality=quality, camera=shot.camera, reuse_target_mm=target_mm)
            for name, run in runs.items():
                memory = memories.get(name)
                if memory is not None:
                    memory.begin(time_s)
                run.add(*charged(cascade, shot.image_bgr, options, memory), costs_ms)
        began_s = time_s + (float(np.median(np.diff(times))) if len(times) > 1 else 0.04)
    return runs


def away_mm(run: Run, other: Run) -> Floats:
    """[N] mean distance of each person's body, relative to its root, from the same person's in another run."""
    away = [np.linalg.norm(mine.pose.joints_rel_mm - theirs.pose.joints_rel_mm, axis=-1).mean()
            for frame, same in zip(run.frames, other.frames, strict=True)
            for mine, theirs in _pairs(frame, same)]
    return np.array(away)


def _pairs(frame: Frame, same: Frame) -> list[tuple[Person, Person]]:
    """The people whom both answers to a frame have."""
    if not frame.people or not same.people:
        return []
    one, other = (np.array([person.pose.joints_px for person in answer.people]) for answer in (frame, same))
    away = np.linalg.norm(one[:, None] - other, axis=-1).mean(-1) / sizes(other)
    rows, columns = matched(away, FARTHEST)
    return [(frame.people[row], same.people[column]) for row, column in zip(rows, columns, strict=True)]
