"""The promise of `max_extra_error_mm`: which prices keep the mean extra error within it, at 95 % confidence.

The loss of a person is the error that their route leaves beyond the deepest one's, as `targets.error_from_deepest` has
it, cut at `BOUND_MM`; of a unit (`Recorded.sequence`: a picture, a moment, a film) the mean of its people. A price's
bound holds for the mean over units like those it was calibrated on, which must not be those that the policy was fitted
on. Learn then Test (arXiv 2110.01052) with fixed-sequence testing: prices are tried from the cheapest up, and the first
that does not keep a promise ends the sequence (`calibration.tables.dearest`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.fitting.bounds import CONFIDENCE, upper_bound
from posecascade.models.lab.fitting.simulate import deep_cost_ms, play
from posecascade.models.lab.fitting.targets import LEAST_SCORE, error_from_deepest
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.policies import Policy
from posecascade.models.records import Stage

BOUND_MM: Final = 150.0
"""Extra errors are cut here."""
PRICES: Final = (
    0.02,
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
)
"""The ladder that promises are chosen from, mm a millisecond."""
KEPT: Final = 0.9
"""Share of what the deepest stage removes that `quality=balanced` keeps."""


def answered(table: Recorded) -> Recorded:
    """The detections that would be answered."""
    return table.of(table.score[:, 0] >= LEAST_SCORE)


def operating_points(
    table: Recorded,
    policy: Policy,
    cost_ms: Mapping[Stage, float],
    prices: Sequence[float] = PRICES,
) -> list[dict[str, float]]:
    """The ladder, cheapest first, as the manifest holds it.

    Raises:
        ValueError: nobody in the table.
    """
    if not len(table.frame):
        raise ValueError("want people to calibrate the promise on, got none")
    error = error_from_deepest(table)
    ladder = []
    for price in prices:
        routes = play(table, policy, cost_ms, price)
        loss = losses(table, error, routes)
        ladder.append(
            {
                "price": price,
                "extra_error_mm": BOUND_MM * upper_bound(loss / BOUND_MM),
                "mean_extra_error_mm": float(loss.mean()),
                "deep_ms_per_person": float(deep_cost_ms(routes, cost_ms).mean()),
            }
        )
    return ladder


def losses(table: Recorded, error_mm: Floats, routes: Indices) -> Floats:
    """[U] of each unit, 0 to `BOUND_MM`."""
    extra = np.clip(
        error_mm[np.arange(len(routes)), routes] - error_mm[:, -1], 0.0, BOUND_MM
    )
    return np.asarray(np.bincount(table.units, extra) / np.bincount(table.units))


def balanced_price(
    table: Recorded,
    policy: Policy,
    cost_ms: Mapping[Stage, float],
    prices: Sequence[float] = PRICES,
) -> float:
    """The dearest price at which `KEPT` of what the deepest route removes is still removed."""
    error = error_from_deepest(table)
    everyone = np.arange(len(error))
    all_of_it = (error[:, 0] - error[:, -1]).mean()
    stored = {
        price: (
            error[:, 0] - error[everyone, play(table, policy, cost_ms, price)]
        ).mean()
        for price in prices
    }
    return max(
        (price for price, removed in stored.items() if removed >= KEPT * all_of_it),
        default=prices[0],
    )


def halves(table: Recorded, seed: int = 0) -> tuple[Recorded, Recorded]:
    """To fit policies on, and to calibrate the promise on: no unit is in both."""
    unit = table.units
    first = (
        np.random.default_rng(seed).permutation(unit.max() + 1) < (unit.max() + 1) / 2
    )
    return table.of(first[unit]), table.of(~first[unit])


def stated(table: Recorded) -> dict[str, Any]:
    """What a promise rests on, for `/v1/model` and the model card."""
    return {
        "confidence": CONFIDENCE,
        "loss_bound_mm": BOUND_MM,
        "people": len(table.frame),
        "units": len(np.unique(table.units)),
        "judged_by": f"the answers of {' and '.join(ROUTES[-1])}",
    }
