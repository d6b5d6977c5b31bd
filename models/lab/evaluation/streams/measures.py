"""What is measured of a stream: each measure as sums over people, which a bootstrap can draw, and what they come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.evaluation.streams.paths import Paths
from posecascade.models.lab.evaluation.streams.steadiness import (
    WINDOW_S,
    acceleration_error,
    lag_frames,
    mean_error,
    oks,
    still,
    trembling,
)
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.metrics import PCK3D_MM

STILL_MM = 10.0
STILL_PX = 2.0
STILL_ROOT_MM = 30.0
"""A joint relative to the mid-hip, a joint in the picture and a mid-hip in space are still where the truth stays within
so much of its mean place for half a second (root mean square)."""

MOVES_MM = 30.0
MOVES_PX = 4.0
MOVES_ROOT_MM = 60.0
"""They move where the truth is away from its mean place by so much in an unbroken run."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the table."""

    key: str
    title: str
    sums: Callable[[Paths, Paths, float], Floats]
    """[P, ...] of what a system says, the truth, and frames a second."""
    value: Callable[[Floats, float], float]
    """Of sums added up [...], and frames a second; NaN where there was nothing to measure."""
    digits: int = 1


def _mean(sums: Floats, fps: float) -> float:
    return float(sums[0] / sums[1]) if sums[1] > 0 else np.nan


def _root_mean_square(sums: Floats, fps: float) -> float:
    return float(np.sqrt(sums[2] / sums[1])) if sums[1] > 0 else np.nan


def _lag_ms(sums: Floats, fps: float) -> float:
    return 1000 * lag_frames(sums) / fps


def _joints(paths: Paths) -> Floats:
    return paths.joints_mm


def _picture(paths: Paths) -> Floats:
    return paths.joints_px


def _root(paths: Paths) -> Floats:
    return np.asarray(paths.root_mm[:, :, None])  # [P, T, 3] -> [P, T, 1, 3]


Column = Callable[[Paths], Floats]


def _trembling(
    column: Column, within: float, predicted: Paths, truth: Paths, fps: float
) -> Floats:
    length = max(3, round(WINDOW_S * fps))
    there = column(truth)
    return trembling(column(predicted), there, still(there, length, within), length)


def _likeness(
    column: Column, moves: float, predicted: Paths, truth: Paths, fps: float
) -> Floats:
    return oks(column(predicted), column(truth), moves)


def _error(predicted: Paths, truth: Paths, fps: float) -> Floats:
    return mean_error(predicted.joints_mm, truth.joints_mm)


def _within(predicted: Paths, truth: Paths, fps: float) -> Floats:
    """[P, 2] joints within `PCK3D_MM` of the truth, and joints."""
    away = np.linalg.norm(predicted.joints_mm - truth.joints_mm, axis=-1)  # [P, T, 12]
    return np.stack(
        [(away < PCK3D_MM).sum((1, 2)), np.isfinite(away).sum((1, 2))], 1
    ).astype(float)


def _percent(sums: Floats, fps: float) -> float:
    return 100 * _mean(sums, fps)


def _acceleration(predicted: Paths, truth: Paths, fps: float) -> Floats:
    return acceleration_error(predicted.joints_mm, truth.joints_mm)


JITTER = "jitter"
ACCELERATION = "acceleration"
LAG = "lag"
MPJPE: Final = Measure("mpjpe", "MPJPE mm", _error, _mean)
PCK3D: Final = Measure("pck3d", f"3DPCK@{PCK3D_MM:g}", _within, _percent)
MEASURES: Final = (
    MPJPE,
    Measure(JITTER, "jitter mm", partial(_trembling, _joints, STILL_MM), _mean),
    Measure(
        "jitter_rms",
        "RMS jitter mm",
        partial(_trembling, _joints, STILL_MM),
        _root_mean_square,
    ),
    Measure(ACCELERATION, "acceleration error mm/frame^2", _acceleration, _mean),
    Measure(LAG, "lag ms", partial(_likeness, _joints, MOVES_MM), _lag_ms, digits=0),
    Measure(
        "jitter_px",
        "jitter px",
        partial(_trembling, _picture, STILL_PX),
        _mean,
        digits=2,
    ),
    Measure(
        "lag_px",
        "lag in the picture ms",
        partial(_likeness, _picture, MOVES_PX),
        _lag_ms,
        digits=0,
    ),
    Measure(
        "jitter_root",
        "root jitter mm",
        partial(_trembling, _root, STILL_ROOT_MM),
        _mean,
        digits=0,
    ),
    Measure(
        "lag_root",
        "root lag ms",
        partial(_likeness, _root, MOVES_ROOT_MM),
        _lag_ms,
        digits=0,
    ),
)


def in_common(predicted: Sequence[Paths]) -> list[Paths]:
    """The same paths, each left only where every system has one; a system without 3D or without roots takes away
    nothing from the others'."""

    def where(column: Column) -> list[Floats]:
        columns = [column(paths) for paths in predicted]
        speaking = [values for values in columns if np.isfinite(values).any()]
        known = [np.isfinite(values).all(-1, keepdims=True) for values in speaking]
        return [
            np.where(np.logical_and.reduce(known), values, np.nan) for values in columns
        ]

    joints = where(_joints)
    picture = where(_picture)
    roots = where(lambda paths: paths.root_mm)
    return [
        replace(paths, joints_mm=mm, joints_px=px, root_mm=root)
        for paths, mm, px, root in zip(predicted, joints, picture, roots, strict=True)
    ]


def figure(measure: Measure, sums: Floats, fps: float, draws: Indices) -> Figure:
    """Value and interval over the people.

    Args:
        sums: [P, ...]
        draws: [R, P] resampled people.
    """
    values = [measure.value(sums[draw].sum(0), fps) for draw in draws]
    return _figure(measure.value(sums.sum(0), fps), values)


def share(
    measure: Measure, ours: Floats, theirs: Floats, fps: float, draws: Indices
) -> Figure:
    """Our value over theirs, on the same people in every draw."""
    return _paired(
        lambda one, other: one / other if other > 0 else np.nan,
        measure,
        ours,
        theirs,
        fps,
        draws,
    )


def excess(
    measure: Measure, ours: Floats, theirs: Floats, fps: float, draws: Indices
) -> Figure:
    """Our value less theirs, on the same people in every draw."""
    return _paired(lambda one, other: one - other, measure, ours, theirs, fps, draws)


def _paired(
    compare: Callable[[float, float], float],
    measure: Measure,
    ours: Floats,
    theirs: Floats,
    fps: float,
    draws: Indices,
) -> Figure:
    def of(rows: Indices) -> float:
        return compare(
            measure.value(ours[rows].sum(0), fps),
            measure.value(theirs[rows].sum(0), fps),
        )

    return _figure(of(np.arange(len(ours))), [of(draw) for draw in draws])


def _figure(value: float, drawn: Sequence[float]) -> Figure:
    known = np.array(drawn)[np.isfinite(drawn)]
    if not np.isfinite(value) or not known.size:
        return Figure(value, np.nan, np.nan)
    low, high = np.percentile(known, [2.5, 97.5])
    return Figure(float(value), float(low), float(high))
