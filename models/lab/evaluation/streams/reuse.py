"""Reuse of deep looks, idea by idea: all films one after the other as a single stream, so that every join is a cut."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.assignment import matched
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.keypoints import box_scales
from posecascade.models.lab.evaluation.streams.manifest_cost import run_at_manifest_cost
from posecascade.models.lab.scoring.cached_runner import CachedRunner
from posecascade.models.lab.scoring.refresh_rules import (
    AdaptiveClock,
    FixedAlternation,
    RandomRefresh,
)
from posecascade.models.lab.scoring.shots import Shot
from posecascade.models.lab.scoring.systems import RoutedBy
from posecascade.models.options import Options, Quality
from posecascade.models.records import Frame, Person, Stage
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.refresh import RefreshRule
from posecascade.models.tracking.reuse.settings import TARGET_MM, Reuse

NO_REUSE: Final = "no reuse"
SHIPPED = "decision, carried, weighed (as it ships)"
TOGETHER = "all together"
MemoryFactory: TypeAlias = Callable[[], Memory]

_PROPAGATED: Final = Reuse(fuse=False)
_HELD: Final = Reuse(propagate=False, fuse=False)

IDEAS: Final[Mapping[str, MemoryFactory]] = {
    "every frame, weighed": lambda: Memory(rule=FixedAlternation(1)),
    "clock, held": lambda: Memory(_HELD, AdaptiveClock()),
    "decision, held": lambda: Memory(_HELD),
    "carried, every 4th": lambda: Memory(_PROPAGATED, FixedAlternation(4)),
    "clock, carried": lambda: Memory(_PROPAGATED, AdaptiveClock()),
    "decision, carried": lambda: Memory(_PROPAGATED),
    SHIPPED: Memory,
    TOGETHER: lambda: Memory(rule=AdaptiveClock(scaled=True)),
}
"""The memory of each idea, alone and together; `held` is without propagation."""

FARTHEST: Final = 0.5
"""Mean distance in the picture, in sizes, up to which answers of two systems to one frame may be of one person."""

Stream = Callable[[], Iterable[Shot]]
"""Shows its shots as often as it is called."""


@dataclass(slots=True)
class Run:
    """What one system said of a stream."""

    frames: list[Frame] = field(default_factory=list)
    looks: dict[Stage, int] = field(
        default_factory=lambda: {Stage.REFINE: 0, Stage.EXPERT: 0}
    )
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

    def add(
        self,
        frame: Frame,
        requested: Mapping[Stage, int],
        costs_ms: Mapping[Stage, float],
    ) -> None:
        """A frame's answer and the items that each stage was asked for."""
        self.frames.append(frame)
        self.looks = {
            stage: count + requested.get(stage, 0)
            for stage, count in self.looks.items()
        }
        self.frame_ms.append(
            sum(requested.get(stage, 0) * costs_ms[stage] for stage in self.looks)
        )


def run_reuse(
    cascade: Cascade,
    streams: Sequence[Stream],
    quality: Quality,
    target_mm: float | None,
) -> dict[str, Run]:
    """Each frame by itself, on the terms of a stream's frame, every idea, then fixed alternation and a coin with about
    as many looks as what ships.

    Args:
        streams: films, shown one after the other without a pause.
        target_mm: see `Options.reuse_target_mm`; None: as fitted, at `best` too, where nothing else is reused.
    """
    fitted = cascade.manifest.calibration.reuse
    target_mm = target_mm or (fitted.target_mm if fitted else TARGET_MM)
    shared = Cascade(
        cascade.manifest,
        {stage: CachedRunner(runner) for stage, runner in cascade.runners.items()},
    )
    options = Options(quality=quality)
    point = shared.operating_point(options, in_stream=True)
    without_reuse = RoutedBy(shared, point.policy, point.price, point.budget_ms)
    runs = streamed(without_reuse, streams, {NO_REUSE: None}, quality, target_mm)
    runs |= streamed(shared, streams, IDEAS, quality, target_mm)
    most, ours = (sum(runs[name].looks.values()) for name in (NO_REUSE, SHIPPED))
    share = float(np.clip(ours / max(most, 1), 0.01, 1.0))
    blind = _blind_ideas(share)
    return runs | streamed(shared, streams, blind, quality, target_mm)


def _blind_ideas(share: float) -> dict[str, MemoryFactory]:
    """Fixed alternation and a coin, neither of which looks at the people, with about this share of refreshes."""
    every = max(1, round(1 / share))
    rules: dict[str, Callable[[], RefreshRule]] = {
        f"every {every}": lambda: FixedAlternation(every),
        f"coin {share:.2f}": lambda: RandomRefresh(share, np.random.default_rng(0)),
    }
    ideas: dict[str, MemoryFactory] = {}
    for name, rule in rules.items():
        ideas[f"{name}, held"] = partial(_memory, _HELD, rule)
        ideas[f"{name}, carried, weighed"] = partial(_memory, Reuse(), rule)
    return ideas


def _memory(reuse: Reuse, rule: Callable[[], RefreshRule]) -> Memory:
    return Memory(reuse, rule())


def streamed(
    cascade: Cascade,
    streams: Sequence[Stream],
    ideas: Mapping[str, MemoryFactory | None],
    quality: Quality,
    target_mm: float | None,
) -> dict[str, Run]:
    """The streams one after the other, once for each of the ideas, at the manifest's costs.

    Args:
        ideas: makes the memory, by name; None: each frame by itself.
        target_mm: see `Options.reuse_target_mm`.
    """
    runs = {name: Run() for name in ideas}
    costs_ms = {stage: spec.cost_ms for stage, spec in cascade.manifest.stages.items()}
    memories = {
        name: new_memory()
        for name, new_memory in ideas.items()
        if new_memory is not None
    }
    began_s = 0.0
    for stream in streams:
        time_s = began_s
        times: list[float] = []
        for shot in stream():
            times.append(shot.time_s)
            time_s = began_s + shot.time_s - times[0]
            options = Options(
                quality=quality, camera=shot.camera, reuse_target_mm=target_mm
            )
            for name, run in runs.items():
                memory = memories.get(name)
                if memory is not None:
                    memory.begin(time_s)
                run.add(
                    *run_at_manifest_cost(cascade, shot.image_bgr, options, memory),
                    costs_ms,
                )
        began_s = time_s + (
            float(np.median(np.diff(times))) if len(times) > 1 else 0.04
        )
    return runs


def away_mm(run: Run, other: Run) -> Floats:
    """[N] mean distance of each person's body, relative to its root, from the same person's in another run."""
    away = [
        np.linalg.norm(
            mine.pose.joints_rel_mm - theirs.pose.joints_rel_mm, axis=-1
        ).mean()
        for frame, same in zip(run.frames, other.frames, strict=True)
        for mine, theirs in _pairs(frame, same)
    ]
    return np.array(away)


def _pairs(frame: Frame, same: Frame) -> list[tuple[Person, Person]]:
    """The people whom both answers to a frame have."""
    if not frame.people or not same.people:
        return []
    one, other = (
        np.array([person.pose.joints_px for person in answer.people])
        for answer in (frame, same)
    )
    away = np.linalg.norm(one[:, None] - other, axis=-1).mean(-1) / box_scales(other)
    rows, columns = matched(away, FARTHEST)
    return [
        (frame.people[row], same.people[column])
        for row, column in zip(rows, columns, strict=True)
    ]
