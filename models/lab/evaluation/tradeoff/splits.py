"""How often promises are broken: calibrated on one half of recorded people, tried on the other, many times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.calibration import OperatingPoint, dearest
from posecascade.models.lab.fitting.bounds import CONFIDENCE, upper_bound
from posecascade.models.lab.fitting.operating_points import BOUND_MM, PRICES, losses
from posecascade.models.lab.fitting.simulate import deep_cost_ms, play
from posecascade.models.lab.fitting.targets import error_from_deepest
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.policies import Policy
from posecascade.models.records import Stage

TARGETS_MM: Final = (5.0, 7.5, 10.0, 15.0, 20.0)
SPLITS: Final = 200


@dataclass(frozen=True, slots=True)
class Broken:
    """One value of `max_extra_error_mm` over the splits."""

    target_mm: float
    guarantee: float
    """Share of the splits in which some price kept it; in the others everybody is sent to the deepest."""
    broken: float
    """Share in which it was broken on everybody recorded, who are known, for halves drawn with replacement."""
    missed: float
    """Share in which the mean of the other half, which is itself a sample, lies above it."""
    missed_in_truth: float
    """The same of people known in 3D by their labels; NaN where there are none."""
    mean_extra_mm: float
    """Mean over the splits of what the chosen prices cost everybody recorded."""
    compute: float
    """Share of the deepest's deep time that the chosen prices took."""


def allowed(splits: int) -> float:
    """Share of broken promises that chance may bring about at the stated confidence, with two standard deviations of a
    share of so many trials."""
    share = 1 - CONFIDENCE
    return float(share + 2 * np.sqrt(share * (1 - share) / splits))


def broken(
    table: Recorded,
    policy: Policy,
    cost_ms: Mapping[Stage, float],
    targets_mm: Sequence[float] = TARGETS_MM,
    *,
    splits: int = SPLITS,
    seed: int = 0,
) -> list[Broken]:
    """Each target over so many halvings of the table's units.

    Raises:
        ValueError: fewer than two units.
    """
    unit = table.units
    count = int(unit.max(initial=-1)) + 1
    if count < 2:
        raise ValueError(
            f"want two pictures, moments or films or more to split, got {count}"
        )
    routes = [play(table, policy, cost_ms, price) for price in PRICES]
    error = error_from_deepest(table)
    loss = np.array([losses(table, error, one) for one in routes])  # [K, U]
    true = np.array([_true(table, unit, one) for one in routes])  # [K, U]
    deepest_ms = deep_cost_ms(np.array([len(ROUTES) - 1]), cost_ms)[0]
    spent = np.array([deep_cost_ms(one, cost_ms).mean() for one in routes]) / deepest_ms
    rng = np.random.default_rng(seed)
    halves = [rng.permutation(count) for _ in range(splits)]
    picked = [rng.integers(0, count, count // 2) for _ in range(splits)]
    highest = max(targets_mm)
    ladders = [_ladder(loss[:, half[: count // 2]], highest) for half in halves]
    drawn = [_ladder(loss[:, with_replacement], highest) for with_replacement in picked]
    return [
        _broken(target, loss, true, spent, halves, ladders, drawn)
        for target in targets_mm
    ]


def _broken(
    target: float,
    loss: Floats,
    true: Floats,
    spent: Floats,
    halves: Sequence[np.ndarray],
    ladders: Sequence[Sequence[OperatingPoint]],
    drawn: Sequence[Sequence[OperatingPoint]],
) -> Broken:
    count = loss.shape[1]
    chosen = [_step(ladder, target) for ladder in ladders]
    rest = [half[count // 2 :] for half in halves]
    missed = [
        step >= 0 and loss[step, other].mean() > target
        for step, other in zip(chosen, rest, strict=True)
    ]
    known = np.isfinite(true).any()
    truly = [
        step >= 0 and np.nanmean(true[step, other]) > target
        for step, other in zip(chosen, rest, strict=True)
        if np.isfinite(true[0, other]).any()
    ]
    again = [_step(ladder, target) for ladder in drawn]
    return Broken(
        target,
        float(np.mean([step >= 0 for step in chosen])),
        float(np.mean([step >= 0 and loss[step].mean() > target for step in again])),
        float(np.mean(missed)),
        float(np.mean(truly)) if known and truly else np.nan,
        float(np.mean([loss[step].mean() if step >= 0 else 0.0 for step in chosen])),
        float(np.mean([spent[step] if step >= 0 else 1.0 for step in chosen])),
    )


def _ladder(loss: Floats, highest_mm: float) -> list[OperatingPoint]:
    """The promises that the losses [K, U] of the prices' units allow, up to the first that is above all targets."""
    ladder: list[OperatingPoint] = []
    for step, price in enumerate(PRICES):
        same = step > 0 and (loss[step] == loss[step - 1]).all()
        bound = (
            ladder[-1].extra_error_mm
            if same
            else BOUND_MM * upper_bound(loss[step] / BOUND_MM)
        )
        ladder.append(OperatingPoint(price, bound))
        if bound > highest_mm:
            break
    return ladder


def _step(ladder: Sequence[OperatingPoint], target_mm: float) -> int:
    """Place in `PRICES` of the price that is chosen; -1: none."""
    price = dearest(ladder, target_mm)
    return PRICES.index(price) if price > 0 else -1


def _true(table: Recorded, unit: np.ndarray, routes: np.ndarray) -> Floats:
    """[U] mean true extra error of the people of each unit, cut at `BOUND_MM` both ways; NaN where none is known."""
    error = table.limb_error_mm
    extra = np.clip(
        error[np.arange(len(routes)), routes] - error[:, -1], -BOUND_MM, BOUND_MM
    )
    known = np.isfinite(extra)
    count = unit.max() + 1
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.bincount(unit[known], extra[known], count)
            / np.bincount(unit[known], minlength=count)
        )
