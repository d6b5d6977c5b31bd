"""Plays a policy over a recorded table: who would have gone where, and at what cost, without running a network."""

from collections.abc import Mapping

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.policies import Policy, RoutingTable
from posecascade.models.records import Stage

_BY_ROUTE = {route: number for number, route in enumerate(ROUTES)}


def play(
    table: Recorded,
    policy: Policy,
    cost_ms: Mapping[Stage, float],
    price: float,
    budget_ms: float = np.inf,
) -> Indices:
    """[N] place in `ROUTES` of the route that each detection would take, frame by frame.

    Args:
        table: N detections.
        policy: as it is served.
        cost_ms: of one more person at each stage.
        price: mm a millisecond must remove.
        budget_ms: for the deeper stages of a frame.
    """
    routes = np.zeros(len(table.frame), np.intp)
    names = np.char.add(np.char.add(table.folder, "/"), table.frame)
    for frame in np.unique(names):
        rows = np.flatnonzero(names == frame)
        routes[rows] = _frame(
            table.features[rows], policy, dict(cost_ms), price, budget_ms
        )
    return routes


def _frame(
    features: Floats,
    policy: Policy,
    cost_ms: dict[Stage, float],
    price: float,
    budget_ms: float,
) -> Indices:
    """[P] routes of the people of one frame, features [P, 2, F]."""
    routes = np.zeros(len(features), np.intp)
    first = RoutingTable.from_features(
        Stage.COARSE,
        features[:, 0],
        cost_ms=cost_ms,
        price=price,
        budget_ms=budget_ms,
        person_index=np.arange(len(features)),
    )
    chosen = policy.decide(first)
    routes[chosen.refine], routes[chosen.expert] = (
        _BY_ROUTE[Stage.REFINE,],
        _BY_ROUTE[Stage.EXPERT,],
    )
    seen = chosen.refine[
        np.isfinite(features[chosen.refine, 1]).all(1)
    ]  # a lost look is not followed by another
    spent = deep_cost_ms(routes, cost_ms).sum()
    second = RoutingTable.from_features(
        Stage.REFINE,
        features[seen, 1],
        cost_ms=cost_ms,
        price=price,
        budget_ms=budget_ms - spent,
        person_index=seen,
    )
    routes[seen[policy.decide(second).expert]] = _BY_ROUTE[Stage.REFINE, Stage.EXPERT]
    return routes


def deep_cost_ms(routes: Indices, cost_ms: Mapping[Stage, float]) -> Floats:
    """[N] what the deeper stages of each route cost beyond `coarse`."""
    return np.array(
        [sum(cost_ms[stage] for stage in route) for route in ROUTES], float
    )[routes]


def oracle(error_mm: Floats, cost_ms: Mapping[Stage, float], price: float) -> Indices:
    """[N] the route of the least error [N, R] + price x cost: what a policy that knew the truth would take."""
    cost = deep_cost_ms(np.arange(len(ROUTES)), cost_ms)
    return np.asarray((error_mm + price * cost).argmin(1))
