"""Whether a system serves some people worse than others: its figures group by group, and the gaps between groups.

A gap lies between the worst and the best group of a kind, by their figures here, among groups of `LEAST_PEOPLE` or
more. The pair is chosen on the very frames that it is measured on, so that where groups do not differ a gap comes out
all the same: of two groups one is always better.

An interval is the wider of two: one resamples frames, and where the labels tell bodies one resamples those. Frames
alone would not do: a group of three bodies may be one that is hard to see and seen often. To resample both at once
would count what is each person's own three times (Owen, Ann. Appl. Stat. 1, 2007).

A group may do worse because its people are smaller in the picture or more hidden, as children are beside adults. So
each gap is also told among people *alike*: everybody is put into a cell by the height of their box and by how many limb
joints are marked visible, and the differences within the cells are averaged with the weights of Mantel and Haenszel
(J. Natl. Cancer Inst. 22, 1959), n m / (n + m) for cells of n and m of the two groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.datasets.labelled import LabelledPerson
from posecascade.models.lab.scoring.difficulty import VISIBLE
from posecascade.models.lab.scoring.figures import METRICS, SHARES, Figure, Metric
from posecascade.models.lab.scoring.matching import LIMBS, height_px
from posecascade.models.lab.scoring.run import Run
from posecascade.models.lab.scoring.scoring import FrameScore

MEASURED: Final = tuple(metric for metric in METRICS if metric.key in SHARES)
LEAST_PEOPLE: Final = 20
"""Of a group, to take part in a gap."""
HEIGHTS_PX: Final = (64.0, 128.0, 256.0)
"""Where cells of alike people part, by the height of the box."""
JOINTS_SEEN: Final = (6, 9, 12)
"""And by the number of visible limb joints, of 12."""
CELLS: Final = (len(HEIGHTS_PX) + 1) * (len(JOINTS_SEEN) + 1)

_LESS_IS_BETTER: Final = ("mpjpe", "pa_mpjpe")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One system on the people of one group."""

    system: str
    kind: str
    group: str
    people: int
    bodies: int
    """How many they share; 0 where the labels do not say."""
    figures: dict[str, Figure]
    """By `Metric.key`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The worst and the best group of a kind, by one metric."""

    system: str
    kind: str
    key: str
    worst: str
    best: str
    everybody: Figure
    """Worst minus best, in units of the metric."""
    alike: Figure
    """The same among people of like size and visibility."""


@dataclass(frozen=True, slots=True)
class Fairness:
    """Some systems on one folder whose people are of known groups."""

    rows: tuple[GroupRow, ...]
    gaps: tuple[Gap, ...]


def fairness(
    runs: Sequence[Run], draws: Indices, rng: np.random.Generator
) -> Fairness | None:
    """Of systems that answer in 3D, on the same frames.

    Args:
        runs: on one folder.
        draws: [R, F] resampled frame indices.
        rng: draws bodies.

    Returns:
        None where nobody's groups are known.
    """
    everybody = [person.truth for frame in runs[0].scores for person in frame.people]
    kinds = {
        kind: sorted(
            {person.groups[kind] for person in everybody if kind in person.groups}
        )
        for kind in dict.fromkeys(
            kind for person in everybody for kind in person.groups
        )
    }
    if not kinds:
        return None
    weights = drawn_weights(runs[0].scores, draws, rng)
    rows = []
    gaps = []
    for one in runs:
        for kind, groups in kinds.items():
            sums = {
                metric.key: weighted_shares(one.scores, kind, groups, metric, weights)
                for metric in MEASURED
            }
            of_kind = [
                _row(one.name, kind, number, group, everybody, sums)
                for number, group in enumerate(groups)
            ]
            rows += of_kind
            large = [
                number
                for number, row in enumerate(of_kind)
                if row.people >= LEAST_PEOPLE
            ]
            gaps += [
                gap
                for key in sums
                if (
                    gap := _gap(
                        key, [of_kind[i] for i in large], sums[key][:, :, large]
                    )
                )
            ]
    return Fairness(tuple(rows), tuple(gaps))


def drawn_weights(
    frames: Sequence[FrameScore], draws: Indices, rng: np.random.Generator
) -> Floats:
    """[S, 1 + R, P] how often everybody counts, frame by frame: once, then as often as their frame is drawn; and again
    as often as their body is (S = 2), unless no body is known. Who is of unknown body has one of their own."""
    people = [person.truth for frame in frames for person in frame.people]
    frame_of = np.repeat(
        np.arange(len(frames)), [len(frame.people) for frame in frames]
    )
    bodies = np.array(
        [
            ~number if person.body is None else person.body
            for number, person in enumerate(people)
        ]
    )
    units, body_of = np.unique(bodies, return_inverse=True)
    ways = [
        np.array([np.bincount(draw, minlength=len(frames)) for draw in draws])[
            :, frame_of
        ]
    ]
    if any(person.body is not None for person in people):
        ways.append(
            rng.multinomial(
                len(units), np.full(len(units), 1 / len(units)), len(draws)
            )[:, body_of]
        )
    return np.array([np.vstack([np.ones(len(people)), drawn]) for drawn in ways])


def weighted_shares(
    frames: Sequence[FrameScore],
    kind: str,
    groups: Sequence[str],
    metric: Metric,
    weights: Floats,
) -> Floats:
    """[S, 1 + R, G, CELLS, 2] numerators and denominators of a metric, people counted by weights [S, 1 + R, P]."""
    people = [person for frame in frames for person in frame.people]
    shares = np.zeros((len(people), len(groups), CELLS, 2))
    number = {group: index for index, group in enumerate(groups)}
    for index, person in enumerate(people):
        if kind in person.truth.groups:
            shares[index, number[person.truth.groups[kind]], cell(person.truth)] = (
                SHARES[metric.key](person)
            )
    return np.tensordot(weights, shares, 1)


def cell(person: LabelledPerson) -> int:
    """Of those who are alike, 0 to `CELLS` - 1."""
    size = np.searchsorted(HEIGHTS_PX, height_px(person), side="right")
    seen = np.searchsorted(
        JOINTS_SEEN, (person.seen[LIMBS] == VISIBLE).sum(), side="right"
    )
    return int(size * (len(JOINTS_SEEN) + 1) + seen)


def _row(
    system: str,
    kind: str,
    number: int,
    group: str,
    everybody: Sequence[LabelledPerson],
    sums: dict[str, Floats],
) -> GroupRow:
    theirs = [person for person in everybody if person.groups.get(kind) == group]
    bodies = len({person.body for person in theirs} - {None})
    figures = {
        key: _figure(_ratio(values[:, :, number].sum(2)))
        for key, values in sums.items()
    }
    return GroupRow(system, kind, group, len(theirs), bodies, figures)


def _gap(key: str, rows: Sequence[GroupRow], sums: Floats) -> Gap | None:
    """Between two of the groups `rows` [G] with sums [S, 1 + R, G, CELLS, 2]; None where under two have a figure."""
    values = np.array([row.figures[key].value for row in rows])
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return None
    order = known[np.argsort(values[known], kind="stable")]
    worst, best = (
        (order[-1], order[0]) if key in _LESS_IS_BETTER else (order[0], order[-1])
    )
    everybody = _ratio(sums[:, :, worst].sum(2)) - _ratio(sums[:, :, best].sum(2))
    return Gap(
        rows[0].system,
        rows[0].kind,
        key,
        rows[worst].group,
        rows[best].group,
        _figure(everybody),
        _figure(alike(sums[:, :, worst], sums[:, :, best])),
    )


def alike(one: Floats, other: Floats) -> Floats:
    """[...] Mantel-Haenszel difference of two groups with sums [..., CELLS, 2]; NaN where they share no cell."""
    n = one[..., 1]
    m = other[..., 1]
    shared = (n > 0) & (m > 0)
    weight = np.where(shared, n * m / np.maximum(n + m, 1), 0)
    gap = np.where(shared, _ratio(one) - _ratio(other), 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((weight * gap).sum(-1) / weight.sum(-1))


def _ratio(sums: Floats) -> Floats:
    """[...] of numerators and denominators [..., 2]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _figure(values: Floats) -> Figure:
    """Of [S, 1 + R]: the value, and the widest interval; a draw without anybody of the group says nothing."""
    drawn = [way[np.isfinite(way)] for way in values[:, 1:]]
    if not np.isfinite(values[0, 0]) or not all(way.size for way in drawn):
        return Figure(np.nan, np.nan, np.nan)
    low, high = max(
        (np.percentile(way, [2.5, 97.5]) for way in drawn),
        key=lambda interval: interval[1] - interval[0],
    )
    return Figure(float(values[0, 0]), float(low), float(high))
