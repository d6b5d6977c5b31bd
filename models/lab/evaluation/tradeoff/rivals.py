"""All rules at the same mean time, so that they compare: prices mean another time to each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.evaluation.tradeoff.equal_cost import best_mix
from posecascade.models.lab.evaluation.tradeoff.people import People
from posecascade.models.lab.evaluation.tradeoff.points import Costs, Played
from posecascade.models.lab.evaluation.tradeoff.resampled import UNKNOWN, Resampled
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.recorded import ROUTES

SHARES: Final = (0.1, 0.2, 0.3, 0.4)
"""Of the deepest's deep time."""
MIX: Final = "best blind mix"


@dataclass(frozen=True, slots=True)
class Rival:
    """One rule at one share of the deepest's time."""

    policy: str
    share: float
    error: Figure
    right: Figure
    """3DPCK@150, or PCK2D@.1 of people who are not known in 3D."""
    behind: Figure
    """Its error minus the default's at the same time; above 0: the default is better."""


def rivals(
    people: People, routes: Mapping[str, Played], costs: Costs, *, rounds: int
) -> list[Rival]:
    """Every rule that was played at several prices, the default first, and the best blind mix of routes."""
    draw = Resampled.of(people.unit, rounds)
    cost = costs.route_ms
    right, joints = (
        (people.right_3d, people.joints_3d)
        if people.in_3d
        else (people.right_2d, people.joints_2d)
    )
    rules = {name: by_price for name, by_price in routes.items() if len(by_price) > 1}
    found = []
    for share in SHARES:
        soft = {
            name: at_time(by_price, cost, share * cost[-1])
            for name, by_price in rules.items()
        }
        left = {name: (people.error * each).sum(1) for name, each in soft.items()}
        first = next(iter(left.values()))
        found += [
            Rival(
                name,
                share,
                draw.ratio(left[name]),
                draw.ratio(100 * (right * each).sum(1), joints),
                draw.ratio(left[name] - first),
            )
            for name, each in soft.items()
        ]
        mix = best_mix(people.error, cost, share * cost[-1])
        found.append(
            Rival(MIX, share, draw.ratio(mix), UNKNOWN, draw.ratio(mix - first))
        )
    return found


def at_time(by_price: Played, cost: Floats, spend: float) -> Floats:
    """[N, R] how likely each person takes each route when a rule is given a mean time.

    A coin between the two prices next to it; never and always stand at the ends.

    Args:
        by_price: routes [N] by price.
        cost: [R] of each route.
        spend: mean time, at most that of the last route.
    """
    count = len(next(iter(by_price.values())))
    ends = [np.zeros(count, np.intp), np.full(count, len(ROUTES) - 1)]
    tries = sorted(
        [*by_price.values(), *ends], key=lambda routes: float(cost[routes].mean())
    )
    spent = np.array([cost[routes].mean() for routes in tries])
    low = int(np.flatnonzero(spent <= spend + 1e-9)[-1])
    high = min(low + 1, len(tries) - 1)
    gap = spent[high] - spent[low]
    share = (spend - spent[low]) / gap if gap > 0 else 0.0
    soft: Floats = (1 - share) * _each(tries[low]) + share * _each(tries[high])
    return soft


def _each(routes: Indices) -> Floats:
    """[N, R] one where the route is taken."""
    return np.asarray(routes[:, None] == np.arange(len(ROUTES)), float)
