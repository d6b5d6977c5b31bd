"""Many frames' scores as the figures of a table, each with a bootstrap interval over the frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.scoring.average_precision import average_precision
from posecascade.models.lab.scoring.matching import height_px
from posecascade.models.lab.scoring.metrics import AUC_MM, PCK2D, PCK3D_MM
from posecascade.models.lab.scoring.scoring import FrameScore, PersonScore, true_root_mm

LARGE_PX: Final = 48.0
"""Height of a labelled box from which somebody ought to be found."""
PAIR_MM: Final = 500.0
"""Between the mid-hips of two people who stand so close that one may be taken for the other."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of the tables."""

    key: str
    title: str
    of: Callable[[Sequence[FrameScore], Indices], Floats]
    """Values [R] from all frames [F] and R draws of frame indices [R, N]."""
    needs_3d: bool = False
    digits: int = 1


Share = tuple[float, float]
"""Numerator and denominator that one frame adds."""


def _ratio(
    part: Callable[[FrameScore], Share], frames: Sequence[FrameScore], draws: Indices
) -> Floats:
    over, under = np.array([part(frame) for frame in frames]).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(over[draws].sum(1) / under[draws].sum(1))


def _of_people(value: Callable[[PersonScore], Share], frame: FrameScore) -> Share:
    shares = np.array([value(person) for person in frame.people]).reshape(-1, 2).sum(0)
    return float(shares[0]), float(shares[1])


def _found(person: PersonScore) -> Share:
    return 100.0 * person.found, 1.0


def _found_large(person: PersonScore) -> Share:
    large = height_px(person.truth) >= LARGE_PX
    return 100.0 * (person.found and large), float(large)


def _pairs_kept(frame: FrameScore) -> Share:
    """Pairs whose true roots lie within `PAIR_MM`; nobody shares a detection, so two who are found are found by two."""
    pairs = [
        (a, b)
        for a, b in combinations(frame.people, 2)
        if np.linalg.norm(true_root_mm(a.truth) - true_root_mm(b.truth)) <= PAIR_MM
    ]
    return 100.0 * sum(a.found and b.found for a, b in pairs), float(len(pairs))


def _where_in_3d(
    of: Callable[[Sequence[FrameScore], Indices], Floats],
    frames: Sequence[FrameScore],
    draws: Indices,
) -> Floats:
    """`of`, and NaN where nobody has 3D truth: the figure is asked for on rendered people, not on photos."""
    known = any(person.errors_mm.size for frame in frames for person in frame.people)
    return of(frames, draws) if known else np.full(len(draws), np.nan)


def _right_2d(person: PersonScore) -> Share:
    return 100.0 * (person.errors_2d < PCK2D).sum(), len(person.errors_2d)


def _right_3d(person: PersonScore) -> Share:
    return 100.0 * (person.errors_mm < PCK3D_MM).sum(), len(person.errors_mm)


def _auc(person: PersonScore) -> Share:
    return 100.0 * (person.errors_mm[:, None] < AUC_MM).sum() / len(AUC_MM), len(
        person.errors_mm
    )


def _mpjpe(person: PersonScore) -> Share:
    return (float(person.errors_mm.mean()), 1.0) if person.found_in_3d else (0.0, 0.0)


def _pa_mpjpe(person: PersonScore) -> Share:
    return (
        (float(person.pa_errors_mm.mean()), 1.0) if person.found_in_3d else (0.0, 0.0)
    )


def _false(frame: FrameScore) -> Share:
    return float(frame.false_people), 1.0


def _precision(frames: Sequence[FrameScore], draws: Indices) -> Floats:
    def of(draw: Indices) -> float:
        judged = [frames[i].detections for i in draw]
        return 100 * average_precision([one for one in judged if one is not None])

    if all(frame.detections is None for frame in frames):
        return np.full(len(draws), np.nan)
    return np.array([of(draw) for draw in draws])


def _median(
    value: Callable[[PersonScore], float], frames: Sequence[FrameScore], draws: Indices
) -> Floats:
    """Over the people who have the value."""
    by_frame = [[value(person) for person in frame.people] for frame in frames]
    drawn = (np.array([one for i in draw for one in by_frame[i]]) for draw in draws)
    known = (values[np.isfinite(values)] for values in drawn)
    return np.array([np.median(values) if values.size else np.nan for values in known])


def _root(person: PersonScore) -> float:
    return person.root_error_mm


def _root_share(person: PersonScore) -> float:
    return 100 * person.root_error_mm / person.root_distance_mm


METRICS: Final = (
    Metric("found", "found %", partial(_ratio, partial(_of_people, _found))),
    Metric(
        "found_large",
        f"found >={LARGE_PX:.0f} px %",
        partial(_where_in_3d, partial(_ratio, partial(_of_people, _found_large))),
    ),
    Metric(
        "pairs", "pairs kept %", partial(_where_in_3d, partial(_ratio, _pairs_kept))
    ),
    Metric("false", "false people / frame", partial(_ratio, _false), digits=2),
    Metric("pck2d", "PCK2D@.1", partial(_ratio, partial(_of_people, _right_2d))),
    Metric("ap", "AP (OKS)", _precision),
    Metric(
        "pck3d",
        "3DPCK@150",
        partial(_ratio, partial(_of_people, _right_3d)),
        needs_3d=True,
    ),
    Metric("auc", "AUC", partial(_ratio, partial(_of_people, _auc)), needs_3d=True),
    Metric(
        "mpjpe", "MPJPE mm", partial(_ratio, partial(_of_people, _mpjpe)), needs_3d=True
    ),
    Metric(
        "pa_mpjpe",
        "PA-MPJPE mm",
        partial(_ratio, partial(_of_people, _pa_mpjpe)),
        needs_3d=True,
    ),
    Metric("root", "root mm", partial(_median, _root), needs_3d=True, digits=0),
    Metric(
        "root_share", "root % of distance", partial(_median, _root_share), needs_3d=True
    ),
)
"""Missed people count 0 in PCK2D, 3DPCK and AUC, and do not count in MPJPE, PA-MPJPE and the medians of the root."""


SHARES: Final[Mapping[str, Callable[[PersonScore], Share]]] = {
    "found": _found,
    "pck2d": _right_2d,
    "pck3d": _right_3d,
    "mpjpe": _mpjpe,
    "pa_mpjpe": _pa_mpjpe,
}
"""What one person adds to the metrics that are ratios over people, by `Metric.key`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its 95 % bootstrap interval; all NaN where the data or the system cannot say."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One system on one folder: a row of the table."""

    frames: int
    people: int
    people_3d: int
    figures: dict[str, Figure]
    """By `Metric.key`."""
    cpu_ms: float
    """Median over the frames, this process's CPU time on all threads."""
    wall_ms: float
    wall_p95_ms: float


def draws_of(frames: int, rounds: int, rng: np.random.Generator) -> Indices:
    """[rounds, frames] resampled frame indices, the same for every system so that differences pair."""
    return rng.integers(0, frames, (rounds, frames))


def summarise(
    frames: Sequence[FrameScore], draws: Indices, *, says_3d: bool
) -> Summary:
    """The row of a table.

    Args:
        frames: [F]
        draws: [R, F] resampled frame indices.
        says_3d: False leaves the 3D columns empty: the system answers in 2D only.
    """
    figures = {
        metric.key: _figure(metric, frames, draws)
        if says_3d or not metric.needs_3d
        else _UNKNOWN
        for metric in METRICS
    }
    wall_ms = [frame.wall_ms for frame in frames]
    return Summary(
        frames=len(frames),
        people=sum(len(frame.people) for frame in frames),
        people_3d=sum(
            person.errors_mm.size > 0 for frame in frames for person in frame.people
        ),
        figures=figures,
        cpu_ms=float(np.median([frame.cpu_ms for frame in frames])),
        wall_ms=float(np.median(wall_ms)),
        wall_p95_ms=float(np.percentile(wall_ms, 95)),
    )


_UNKNOWN: Final = Figure(np.nan, np.nan, np.nan)


def _figure(metric: Metric, frames: Sequence[FrameScore], draws: Indices) -> Figure:
    value = metric.of(frames, np.arange(len(frames))[None])[0]
    if np.isnan(value):
        return _UNKNOWN
    low, high = np.nanpercentile(metric.of(frames, draws), [2.5, 97.5])
    return Figure(float(value), float(low), float(high))
