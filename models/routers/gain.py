"""Go on where the next look is expected to remove more error than its time is worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Indices, Mask
from models.calibration.tables import Gain
from models.records import Stage, Stop
from models.routers.table import Decision, RoutingTable

_ORDER = list(Stage)


@dataclass(frozen=True, slots=True)
class GainPolicy:
    """Regressed gain against price times cost: hard but hopeless people stop early.

    Sources: DynPose (CVPR 2025) regresses the relative gain between two 2D networks; arXiv 2307.02764 says why the
    difference of errors, and not the first error, is what to ask for.
    """

    gains: Mapping[tuple[Stage, Stage], Gain]
    name: str = "gain"

    def decide(self, table: RoutingTable) -> Decision:
        """The deeper stage of the largest net gain, or none."""
        deeper = [stage for stage in _ORDER[_ORDER.index(table.stage) + 1 :] if (table.stage, stage) in self.gains]
        if not deeper or not len(table):
            nobody = np.array([], np.intp)
            return Decision(nobody, nobody, dict.fromkeys(range(len(table)), Stop.DEEPEST))
        net = np.stack([self._net(table, stage) for stage in deeper])  # [S, P]
        chosen = bought(net, np.array([table.cost_ms[stage] for stage in deeper]), table.budget_ms)
        stop = {int(p): Stop.BUDGET if net[:, p].max() > 0 else Stop.GAIN_BELOW_PRICE
                for p in np.flatnonzero(chosen < 0)}
        to = {stage: np.flatnonzero(chosen == row) for row, stage in enumerate(deeper)}
        nobody = np.array([], np.intp)
        return Decision(to.get(Stage.REFINE, nobody), to.get(Stage.EXPERT, nobody), stop)

    def _net(self, table: RoutingTable, stage: Stage) -> Floats:
        gain = self.gains[table.stage, stage].expected_mm(table.features)
        return np.minimum(gain, table.expected_error_mm) - table.price * table.cost_ms[stage]


def bought(net_mm: Floats, cost_ms: Floats, budget_ms: float) -> Indices:
    """[P] which of S looks each person gets, -1 none, so that the budget removes much error.

    The most rewarding millisecond is spent first: each person's first look by net gain a millisecond, then, of what is
    left, dearer looks instead of cheaper ones by what they add a millisecond. Without a bound everybody gets the look
    of the largest net gain. (Greedy multiple-choice knapsack: Sinha and Zoltners, 1979.)

    Args:
        net_mm: [S, P] net gain of each look; one that is not positive is never bought.
        cost_ms: [S] of each look, positive.
        budget_ms: for everybody together.
    """
    chosen = np.full(net_mm.shape[1], -1)
    left = budget_ms
    for look, person in _descending(net_mm / cost_ms[:, None], net_mm > 0):
        if chosen[person] < 0 and cost_ms[look] <= left:
            chosen[person], left = look, left - cost_ms[look]
    had = np.where(chosen >= 0, net_mm[chosen, np.arange(len(chosen))], np.inf)
    more_net, more_ms = net_mm - had, cost_ms[:, None] - np.where(chosen >= 0, cost_ms[chosen], 0)
    better = (more_net > 0) & (more_ms > 0)
    for look, person in _descending(more_net / np.where(better, more_ms, 1), better):
        extra = cost_ms[look] - cost_ms[chosen[person]]
        if extra <= left and net_mm[look, person] > net_mm[chosen[person], person]:
            chosen[person], left = look, left - extra
    return chosen


def _descending(value: Floats, allowed: Mask) -> list[tuple[int, int]]:
    """Places in `value` [S, P] that are allowed, largest first."""
    places = np.argwhere(allowed)
    order = np.argsort(-value[allowed], kind="stable")
    return [(int(look), int(person)) for look, person in places[order]]
