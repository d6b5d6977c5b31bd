"""From what a look is worth to who gets one: the last step of every policy."""

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.policies.table import Decision, RoutingTable
from posecascade.models.records import Stage, Stop

_ORDER = list(Stage)
MIN_SAVING_MM = 0.025
"""A frame: whoever is due is worth a look that nobody else needs, whatever it is expected to save."""
NOBODY = np.array([], np.intp)


def deeper_than(stage: Stage) -> list[Stage]:
    """The stages that may look after `stage`, shallow to deep."""
    return _ORDER[_ORDER.index(stage) + 1 :]


def everybody_stops(table: RoutingTable, why: Stop) -> Decision:
    """Nobody is looked at again."""
    return Decision(NOBODY, NOBODY, dict.fromkeys(range(len(table)), why))


def saving_mm(table: RoutingTable) -> Floats:
    """[P] that a fresh look saves in a frame beyond an earlier one; infinite where there is none."""
    saving: Floats = np.maximum(
        np.nan_to_num(table.temporal.saving_mm, nan=np.inf, posinf=np.inf),
        MIN_SAVING_MM,
    )
    return saving


def allocate(
    table: RoutingTable, net_mm: Floats, otherwise: Stop = Stop.GAIN_BELOW_PRICE
) -> Decision:
    """Detections for whom they pay, as far as the budget reaches.

    What a look removes is told beyond `coarse`. Who would be answered by an earlier look otherwise stands back in the
    order for what a fresh one saves beyond that; whether it is worth its price was for the stream's memory to say.

    Args:
        table: P people.
        net_mm: [S, P] what each deeper stage is worth beyond its price; not positive, or NaN: not worth it.
        otherwise: why those stop for whom no look is worth it.
    """
    stages = deeper_than(table.stage)
    if not stages or not len(table):
        return everybody_stops(table, Stop.DEEPEST)
    net = np.nan_to_num(net_mm, nan=-np.inf, posinf=1e9, neginf=-np.inf)
    cost = np.array([table.cost_ms[stage] for stage in stages])
    chosen = best_stage(net)
    if cost[chosen[chosen >= 0]].sum() > table.budget_ms:
        chosen = greedy_knapsack(
            _beyond_carried(table, net, cost), cost, table.budget_ms
        )
    wanted = net.max(0) > 0
    stop = {
        int(p): Stop.BUDGET if wanted[p] else otherwise
        for p in np.flatnonzero(chosen < 0)
    }
    to = {stage: np.flatnonzero(chosen == row) for row, stage in enumerate(stages)}
    return Decision(to.get(Stage.REFINE, NOBODY), to.get(Stage.EXPERT, NOBODY), stop)


def best_stage(net_mm: Floats) -> Indices:
    """[P] which of S looks is worth most to each person, -1 none is worth anything."""
    best: Indices = np.where(net_mm.max(0, initial=-np.inf) > 0, net_mm.argmax(0), -1)
    return best


def _beyond_carried(table: RoutingTable, net_mm: Floats, cost_ms: Floats) -> Floats:
    """[S, P] the same, less where an earlier look would answer otherwise; what was worth its price still is."""
    saving = saving_mm(table)
    if np.isinf(saving).all():
        return net_mm
    worth = net_mm > 0
    price_mm = (
        np.minimum(table.price, 1e9) * cost_ms[:, None]
    )  # nothing is worth more, and it stays finite
    removed = np.add(net_mm, price_mm, out=np.ones_like(net_mm), where=worth)
    less: Floats = np.multiply(
        net_mm, np.minimum(1.0, saving / removed), out=net_mm.copy(), where=worth
    )
    return less


def greedy_knapsack(net_mm: Floats, cost_ms: Floats, budget_ms: float) -> Indices:
    """[P] which of S looks each person gets, -1 none, so that the budget removes much error.

    The most rewarding millisecond is spent first: each person's first look by net gain a millisecond, then, of what is
    left, dearer looks instead of cheaper ones by what they add a millisecond. Where the budget reaches for what
    everybody would like best, everybody gets that. (Greedy multiple-choice knapsack: Sinha and Zoltners, 1979.)

    Args:
        net_mm: [S, P] net gain of each look; one that is not positive is never bought.
        cost_ms: [S] of each look, positive.
        budget_ms: for everybody together.
    """
    best = best_stage(net_mm)
    if cost_ms[best[best >= 0]].sum() <= budget_ms:
        return best
    chosen = np.full(net_mm.shape[1], -1)
    left = budget_ms
    for stage_row, person in _descending(net_mm / cost_ms[:, None], net_mm > 0):
        if chosen[person] < 0 and cost_ms[stage_row] <= left:
            chosen[person], left = stage_row, left - cost_ms[stage_row]
    had = np.where(chosen >= 0, net_mm[chosen, np.arange(len(chosen))], np.inf)
    more_net = net_mm - had
    more_ms = cost_ms[:, None] - np.where(chosen >= 0, cost_ms[chosen], 0)
    better = (more_net > 0) & (more_ms > 0)
    for stage_row, person in _descending(
        more_net / np.where(better, more_ms, 1), better
    ):
        extra = cost_ms[stage_row] - cost_ms[chosen[person]]
        if extra <= left and net_mm[stage_row, person] > net_mm[chosen[person], person]:
            chosen[person], left = stage_row, left - extra
    return chosen


def _descending(value: Floats, allowed: Mask) -> list[tuple[int, int]]:
    """Places in `value` [S, P] that are allowed, largest first."""
    places = np.argwhere(allowed)
    order = np.argsort(-value[allowed], kind="stable")
    return [(int(stage_row), int(person)) for stage_row, person in places[order]]
