"""The default rule against everyone-to-the-deepest, and against everyone-to-`refine` at equal time."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Indices
from posecascade.models.lab.evaluation.tradeoff.people import People
from posecascade.models.lab.evaluation.tradeoff.points import Costs
from posecascade.models.lab.evaluation.tradeoff.resampled import Resampled
from posecascade.models.lab.fitting.simulate import play
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.recorded import ROUTES
from posecascade.models.policies import Policy
from posecascade.models.records import Stage

SHARE: Final = 0.4
"""Of the deepest's deep time, at which the default ought to come near it."""
_REFINE: Final = ROUTES.index((Stage.REFINE,))


@dataclass(frozen=True, slots=True)
class Against:
    """The default rule minus everybody along one route, on the same people."""

    opponent: str
    price: float
    """At which the rule was played, so that its time was at most the bound."""
    deep_ms: float
    bound_ms: float
    error: Figure
    pck3d: Figure
    """In points."""
    pck2d: Figure


def against_deepest(
    people: People, policy: Policy, costs: Costs, *, rounds: int
) -> Against:
    """At `SHARE` of the deepest's time, or less."""
    return _against(
        people,
        policy,
        costs,
        len(ROUTES) - 1,
        SHARE * float(costs.route_ms[-1]),
        rounds,
    )


def against_refine(
    people: People, policy: Policy, costs: Costs, *, rounds: int
) -> Against:
    """At no more time than refining everybody takes."""
    return _against(
        people, policy, costs, _REFINE, float(costs.route_ms[_REFINE]), rounds
    )


def _against(
    people: People,
    policy: Policy,
    costs: Costs,
    opponent: int,
    bound_ms: float,
    rounds: int,
) -> Against:
    price, routes = at_cost(people, policy, costs, bound_ms)
    draw = Resampled.of(people.unit, rounds)
    everyone = np.arange(len(people))
    right_3d, right_2d = (
        100 * (right[everyone, routes] - right[:, opponent])
        for right in (people.right_3d, people.right_2d)
    )
    return Against(
        ", ".join(ROUTES[opponent]),
        price,
        float(costs.route_ms[routes].mean()),
        bound_ms,
        draw.ratio(people.error[everyone, routes] - people.error[:, opponent]),
        draw.ratio(right_3d, people.joints_3d),
        draw.ratio(right_2d, people.joints_2d),
    )


def at_cost(
    people: People, policy: Policy, costs: Costs, bound_ms: float
) -> tuple[float, Indices]:
    """The cheapest price, and its routes [N], at which the mean deep time keeps within a bound."""
    low = 1e-3
    high = 1e3
    routes = play(people.table, policy, costs.ms, low)
    if costs.route_ms[routes].mean() <= bound_ms:
        return low, routes
    for _ in range(16):
        middle = float(np.sqrt(low * high))
        tried = play(people.table, policy, costs.ms, middle)
        if costs.route_ms[tried].mean() <= bound_ms:
            high = middle
            routes = tried
        else:
            low = middle
    return high, routes
