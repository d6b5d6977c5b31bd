"""Recipe of `idk`: the thresholds of the whole chain, searched together for each price (arXiv 1706.00885, 3.2)."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.fitting.targets import Cases
from posecascade.models.policies import IdkPolicy
from posecascade.models.policies.idk import Chain
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

STEPS: Final = 41
"""Thresholds that are tried for each stage: quantiles of its expected errors."""
_ERROR: Final = FEATURES.index("log_expected_error")


def fit_idk(
    people: Cases, cost_ms: Mapping[Stage, float], prices: Sequence[float]
) -> IdkPolicy:
    """The best pair of thresholds for each price, by exhaustive search."""
    first = np.exp(people.after_coarse[:, _ERROR])
    second = np.where(
        people.refined, np.exp(np.nan_to_num(people.after_refine[:, _ERROR])), 0.0
    )
    return IdkPolicy(
        tuple(
            _search(first, second, people.error_mm, cost_ms, price) for price in prices
        )
    )


def _search(
    first: Floats,
    second: Floats,
    error: Floats,
    cost_ms: Mapping[Stage, float],
    price: float,
) -> Chain:
    refine = error[:, 1] + price * cost_ms[Stage.REFINE]
    expert = error[:, 3] + price * (cost_ms[Stage.REFINE] + cost_ms[Stage.EXPERT])
    best = np.inf
    found = Chain(price, np.inf, np.inf)
    tries = [*np.quantile(second, np.linspace(0, 1, STEPS))]
    after_refine = np.stack(
        [np.where(second > threshold, expert, refine) for threshold in tries]
    )  # [T, N]
    for threshold in np.quantile(first, np.linspace(0, 1, STEPS)) - 1e-9:
        total = np.where(first > threshold, after_refine, error[:, 0]).mean(1)
        if total.min() < best:
            best = float(total.min())
            found = Chain(price, float(threshold), float(tries[int(total.argmin())]))
    return found
