"""What ships for streams beside everybody to one stage: does it come near the deepest answer, for how much of its time?

The films are shown as for `reuse_table`: one stream, every join a cut, answers before smoothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.streams.measures import (
    MPJPE,
    PCK3D,
    Measure,
    excess,
    figure,
)
from posecascade.models.lab.evaluation.streams.paths import Paths, true_paths
from posecascade.models.lab.evaluation.streams.reuse import Run, streamed
from posecascade.models.lab.evaluation.streams.reuse_table import common_paths, shown
from posecascade.models.lab.evaluation.tables import cell, known, signed, table
from posecascade.models.lab.scoring.cached_runner import CachedRunner
from posecascade.models.lab.scoring.difficulty import hardest
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.films import Film
from posecascade.models.lab.scoring.matching import counted
from posecascade.models.lab.scoring.systems import RoutedBy
from posecascade.models.options import Quality
from posecascade.models.policies import AlwaysPolicy
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.memory import Memory

COARSE = "everybody: coarse alone"
REFINE = "everybody: refine"
DEEPEST = "everybody: refine, expert"
ALONE = "balanced, each frame by itself"
SHIPPED = "balanced, as a stream (as it ships)"
FAST: Final = "fast, as a stream (as it ships)"
BEST: Final = "best, as a stream (as it ships)"
SAVING_MM: Final = 13.0
SAVING: Final = f"best, as a stream with reuse_target_mm={SAVING_MM:g}"

PROTOCOL: Final = (
    "The films are one stream, without a pause: every join is a cut; answers before smoothing. Errors are of the 12 "
    "limb joints relative to the mid-hip, on people whom every system found; 3DPCK@150 their share below 150 mm. Deep "
    "ms are a person's and frame's, over everybody, and those of a whole frame, which one in twenty exceeds, at the "
    "manifest's costs. In brackets: 95 % bootstrap interval over the people, of the paired difference in the last "
    "columns."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One system, on some of the people."""

    who: str
    system: str
    deep_ms: float
    frame_ms: float
    """The 95th of 100 frames by their deep time."""
    mpjpe: Figure
    pck3d: Figure
    from_deepest: tuple[Figure, Figure]
    """MPJPE mm and points of 3DPCK more than everybody's deepest answer has."""
    from_refine: tuple[Figure, Figure]


def run_default(cascade: Cascade, films: Sequence[Film]) -> dict[str, Run]:
    """Every system of the table on the films."""
    plain = Cascade(
        cascade.manifest,
        {stage: CachedRunner(runner) for stage, runner in cascade.runners.items()},
    )
    systems: Mapping[
        str, tuple[Cascade, Quality, type[Memory] | None, float | None]
    ] = {
        COARSE: (plain, Quality.FAST, None, None),
        REFINE: (
            RoutedBy(plain, AlwaysPolicy(Stage.REFINE)),
            Quality.BALANCED,
            None,
            None,
        ),
        DEEPEST: (plain, Quality.BEST, None, None),
        ALONE: (plain, Quality.BALANCED, None, None),
        FAST: (plain, Quality.FAST, Memory, None),
        SHIPPED: (plain, Quality.BALANCED, Memory, None),
        BEST: (plain, Quality.BEST, Memory, None),
        SAVING: (plain, Quality.BEST, Memory, SAVING_MM),
    }
    streams = [shown(film) for film in films]
    runs: dict[str, Run] = {}
    for name, (system, quality, new_memory, target_mm) in systems.items():
        runs |= streamed(system, streams, {name: new_memory}, quality, target_mm)
    return runs


def rows_of(
    runs: Mapping[str, Run], films: Sequence[Film], draws: Indices
) -> list[Row]:
    """
    Args:
        runs: as `run_default` gives them.
        draws: [R, P] resampled people, of all films together.
    """
    hard = _hard(films)
    everybody = [np.ones_like(mask) for mask in hard]
    paths = common_paths(runs, films)
    fps = films[0].fps
    rows: list[Row] = []
    for who, masks in (("everybody", everybody), ("hardest third", hard)):
        of = _sums(paths, films, masks)
        for name, run in runs.items():
            deepest, refine = (
                _apart(of, name, other, fps, draws) for other in (DEEPEST, REFINE)
            )
            rows.append(
                Row(
                    who,
                    name,
                    run.person_ms,
                    float(np.percentile(run.frame_ms, 95)),
                    figure(MPJPE, of(MPJPE, name), fps, draws),
                    figure(PCK3D, of(PCK3D, name), fps, draws),
                    deepest,
                    refine,
                )
            )
    return rows


_Sums = Callable[[Measure, str], Floats]


def _apart(
    of: _Sums, name: str, other: str, fps: float, draws: Indices
) -> tuple[Figure, Figure]:
    """By how much the one's MPJPE and 3DPCK are above the other's."""
    mm, points = (
        excess(measure, of(measure, name), of(measure, other), fps, draws)
        for measure in (MPJPE, PCK3D)
    )
    return mm, points


def _sums(
    paths: Mapping[str, Sequence[Paths]], films: Sequence[Film], masks: Sequence[Mask]
) -> _Sums:
    """[P, ...] of a measure and a system, over all films, where the masks [P, T] are true."""
    truths = [true_paths(film) for film in films]

    def of(measure: Measure, name: str) -> Floats:
        chosen = (
            replace(
                predicted,
                joints_mm=np.where(mask[:, :, None, None], predicted.joints_mm, np.nan),
            )
            for predicted, mask in zip(paths[name], masks, strict=True)
        )
        return np.concatenate(
            [
                measure.sums(predicted, truth, films[0].fps)
                for predicted, truth in zip(chosen, truths, strict=True)
            ]
        )

    return of


def _hard(films: Sequence[Film]) -> list[Mask]:
    """[P, T] of each film: whether a person is of the hardest third of all films in a frame."""
    chosen = hardest([frame for film in films for frame in film.frames])
    masks = []
    start = 0
    for film in films:
        mask = np.zeros((len(film.ids), len(film.frames)), np.bool_)
        for time, frame in enumerate(film.frames):
            for number, person in enumerate(counted(frame)):
                if (start + time, number) in chosen and person.id is not None:
                    mask[film.ids.index(person.id), time] = True
        masks.append(mask)
        start += len(film.frames)
    return masks


def as_json(rows: Sequence[Row], conditions: Mapping[str, str]) -> dict[str, Any]:
    """Plain lists, dicts and numbers; what is unknown is None."""
    return {
        key: known(value)
        for key, value in {
            "protocol": PROTOCOL,
            "conditions": dict(conditions),
            "rows": [asdict(row) for row in rows],
        }.items()
    }


def as_markdown(rows: Sequence[Row], conditions: Mapping[str, str]) -> str:
    """One table."""
    head = [
        "who",
        "system",
        "deep ms: a person's, the 95th frame's",
        "MPJPE mm",
        "3DPCK@150",
        "beyond everybody's deepest: mm, points",
        "beyond everybody to refine: mm, points",
    ]
    cells = [
        [
            row.who,
            row.system,
            f"{row.deep_ms:.1f}, {row.frame_ms:.0f}",
            cell(row.mpjpe, 1),
            cell(row.pck3d, 1),
            *(
                f"{signed(mm, 1)}, {signed(points, 1)}"
                for mm, points in (row.from_deepest, row.from_refine)
            ),
        ]
        for row in rows
    ]
    predicted = "; ".join(f"{key}: {value}" for key, value in conditions.items())
    return (
        "\n\n".join(
            ["# The default in streams", PROTOCOL, predicted, table(head, cells)]
        )
        + "\n"
    )
