"""Whether gains come as predicted, who is answered by what, and whether sigma holds after routing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.evaluation.tradeoff.people import People
from posecascade.models.lab.evaluation.tradeoff.resampled import Resampled
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.lab.scoring.metrics import coverage
from posecascade.models.lab.scoring.recorded import ROUTES
from posecascade.models.policies import GainPolicy
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

BINS: Final = 5
THIRDS: Final = ("easiest third", "middle third", "hardest third")
_ERROR = FEATURES.index("log_expected_error")
_HEIGHT = FEATURES.index("log_height_px")


@dataclass(frozen=True, slots=True)
class Bin:
    """People of like predicted gain."""

    people: int
    predicted_mm: float
    realised_mm: Figure


@dataclass(frozen=True, slots=True)
class Predicted:
    """One look's gain, predicted against realised."""

    after: str
    way: str
    people: int
    predicted_mm: float
    realised_mm: Figure
    correlation: float
    """Of people, not of bins; NaN where all are predicted alike."""
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Exits:
    """Where people of like difficulty end."""

    part: str
    people: int
    shares: tuple[float, ...]
    """Of `ROUTES`."""


@dataclass(frozen=True, slots=True)
class Covered:
    """Share of the limb joints' errors within one sigma, as answered."""

    part: str
    people: int
    share: Figure
    """%; `metrics.LAPLACE_COVERAGE` when calibrated."""


def predicted(
    people: People, policy: GainPolicy, *, rounds: int
) -> Iterator[Predicted]:
    """Each way that the rule regresses, on everybody who could take it; people known in 3D."""
    for (after, way), gain in policy.gains.items():
        begun = 0 if after is Stage.COARSE else 1
        features = people.table.features[:, begun]
        ends = ROUTES.index(way if not begun else (after, *way))
        rows = np.flatnonzero(np.isfinite(features).all(1))
        if not rows.size:
            continue
        reported = np.minimum(gain.of(features[rows]), np.exp(features[rows, _ERROR]))
        came = people.error[rows, begun] - people.error[rows, ends]
        unit = np.unique(people.unit[rows], return_inverse=True)[1]
        same = reported.std() < 1e-9 or came.std() < 1e-9
        yield Predicted(
            str(after),
            ", ".join(way),
            len(rows),
            float(reported.mean()),
            Resampled.of(unit, rounds).ratio(came),
            np.nan if same else float(np.corrcoef(reported, came)[0, 1]),
            tuple(_bins(reported, came, unit, rounds)),
        )


def _bins(reported: Floats, came: Floats, unit: Indices, rounds: int) -> Iterator[Bin]:
    for rows in np.array_split(
        np.argsort(reported, kind="stable"), min(BINS, len(reported))
    ):
        within = np.unique(unit[rows], return_inverse=True)[1]
        yield Bin(
            len(rows),
            float(reported[rows].mean()),
            Resampled.of(within, rounds).ratio(came[rows]),
        )


def exits(people: People, routes: Indices) -> list[Exits]:
    """By thirds of the difficulty that the labels tell."""
    hard = people.table.difficulty
    known = np.flatnonzero(np.isfinite(hard))
    thirds = np.array_split(known[np.argsort(hard[known], kind="stable")], len(THIRDS))
    return [
        Exits(
            part,
            len(rows),
            tuple(
                (np.bincount(routes[rows], minlength=len(ROUTES)) / len(rows)).tolist()
            ),
        )
        for part, rows in zip(THIRDS, thirds, strict=True)
        if len(rows)
    ]


def covered(people: People, routes: Indices, *, rounds: int) -> list[Covered]:
    """For everybody, for the lower half by the height of their box, and for the higher one; people known in 3D."""
    height = people.table.features[:, 0, _HEIGHT]
    small: Mask = height < np.median(height)
    box_scales = {
        "all": np.ones(len(people), bool),
        "small people": small,
        "large people": ~small,
    }
    return [
        _covered(part, people, routes, np.flatnonzero(rows), rounds)
        for part, rows in box_scales.items()
        if rows.any()
    ]


def _covered(
    part: str, people: People, routes: Indices, rows: Indices, rounds: int
) -> Covered:
    errors = people.table.errors_mm[rows, routes[rows]][:, LIMBS]
    sigma = people.table.sigma_mm[rows, routes[rows]][:, LIMBS]
    known = np.isfinite(errors)
    within = np.array(
        [
            coverage(e[k], s[k]) * k.sum() if k.any() else 0.0
            for e, s, k in zip(errors, sigma, known, strict=True)
        ]
    )
    unit = np.unique(people.unit[rows], return_inverse=True)[1]
    return Covered(
        part,
        len(rows),
        Resampled.of(unit, rounds).ratio(100 * within, known.sum(1).astype(float)),
    )
