"""Go on where the next look is expected to remove more error than its time is worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.calibration.tables import Gain
from models.records import Stage, Stop
from models.routers.table import Decision, RoutingTable, within_budget

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
        best = net.argmax(0)
        return _chosen(table, deeper, best, net.max(0))

    def _net(self, table: RoutingTable, stage: Stage) -> Floats:
        gain = self.gains[table.stage, stage].expected_mm(table.features)
        return np.minimum(gain, table.expected_error_mm) - table.price * table.cost_ms[stage]


def _chosen(table: RoutingTable, deeper: list[Stage], best: Floats, net: Floats) -> Decision:
    cost = np.array([table.cost_ms[deeper[b]] for b in best])
    taken = within_budget(net, cost, table.budget_ms)
    stop = {int(p): Stop.BUDGET if net[p] > 0 else Stop.GAIN_BELOW_PRICE for p in range(len(table)) if p not in taken}
    stages = np.array([_ORDER.index(deeper[int(b)]) for b in best], np.intp)
    return Decision(taken[stages[taken] == 1], taken[stages[taken] == 2], stop)
