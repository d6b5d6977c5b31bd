"""Two systems on the same people: what a deeper look changes for those who get it, and for everybody.

Differences pair person by person; the interval resamples frames, because people of one frame are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.metrics import PCK2D, PCK3D_MM
from posecascade.models.lab.scoring.run import Run
from posecascade.models.lab.scoring.scoring import PersonScore
from posecascade.models.records import Stage


@dataclass(frozen=True, slots=True)
class Measure:
    """One number a person, to be compared."""

    key: str
    title: str
    of: Callable[[PersonScore], float]
    """NaN where the person has none."""


def _share(errors: Floats, below: float) -> float:
    return float(100 * (errors < below).mean()) if errors.size else np.nan


def _mean(person: PersonScore, errors: Floats) -> float:
    return float(errors.mean()) if person.found_in_3d else np.nan


MEASURES: Final = (
    Measure("mpjpe", "MPJPE mm", lambda person: _mean(person, person.errors_mm)),
    Measure(
        "pa_mpjpe", "PA-MPJPE mm", lambda person: _mean(person, person.pa_errors_mm)
    ),
    Measure("pck3d", "3DPCK@150", lambda person: _share(person.errors_mm, PCK3D_MM)),
    Measure("pck2d", "PCK2D@.1", lambda person: _share(person.errors_2d, PCK2D)),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One measure under two systems, over the people who have it under both."""

    people: int
    before: float
    after: float
    difference: Figure
    """After minus before."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on some of the people."""

    who: str
    before: str
    after: str
    people: int
    changes: dict[str, Change]
    """By `Measure.key`; only what somebody has."""


Chooser = Callable[[int, int], bool]
"""Whether person `j` of frame `i` takes part."""


def answered_by(run: Run, *stages: Stage) -> Chooser:
    """The people whom one of `stages` answered in `run`."""

    def chosen(frame: int, person: int) -> bool:
        guess = run.scores[frame].people[person].guess
        return guess >= 0 and run.guesses[frame][guess].stage in stages

    return chosen


def compare(
    who: str, before: Run, after: Run, chosen: Chooser, draws: Indices
) -> Comparison:
    """The paired differences; `draws` [R, F] resamples the frames."""
    pairs = [
        [
            (old, new)
            for j, (old, new) in enumerate(zip(b.people, a.people, strict=True))
            if chosen(i, j)
        ]
        for i, (b, a) in enumerate(zip(before.scores, after.scores, strict=True))
    ]
    changes = {measure.key: _change(measure, pairs, draws) for measure in MEASURES}
    return Comparison(
        who,
        before.name,
        after.name,
        sum(map(len, pairs)),
        {key: change for key, change in changes.items() if change is not None},
    )


def _change(
    measure: Measure,
    pairs: Sequence[Sequence[tuple[PersonScore, PersonScore]]],
    draws: Indices,
) -> Change | None:
    values = [
        np.array([(measure.of(old), measure.of(new)) for old, new in frame]).reshape(
            -1, 2
        )
        for frame in pairs
    ]
    values = [frame[np.isfinite(frame).all(1)] for frame in values]
    count = np.array([len(frame) for frame in values])
    if not count.sum():
        return None
    sums = np.array([frame.sum(0) for frame in values])  # [F, 2]
    old, new = sums.sum(0) / count.sum()
    drawn = draws[
        count[draws].sum(1) > 0
    ]  # a draw without any of the people says nothing
    differences = (sums[drawn, 1] - sums[drawn, 0]).sum(1) / count[drawn].sum(1)
    low, high = np.percentile(differences, [2.5, 97.5])
    return Change(
        int(count.sum()),
        float(old),
        float(new),
        Figure(float(new - old), float(low), float(high)),
    )
