"""Go on while the stage's own calibrated doubt is too large: the rule of Layer Cascade, carried over to regression."""

from dataclasses import dataclass

import numpy as np

from models.records import Stage, Stop
from models.routers.table import Decision, RoutingTable, within_budget

HOPED_SHARE = 0.2
"""Share of its expected error that a person is hoped to lose at the next look; ties the threshold to the price."""


@dataclass(frozen=True, slots=True)
class SigmaPolicy:
    """One stage further whenever the expected error exceeds tau = price x cost / `HOPED_SHARE`.

    Source: Layer Cascade, arXiv 1704.01344, section 3; there rho bounds a class probability, here tau an error in mm.
    """

    name: str = "sigma"

    def decide(self, table: RoutingTable) -> Decision:
        """The next stage or none."""
        stages = list(Stage)
        at = stages.index(table.stage)
        none = np.array([], np.intp)
        if at + 1 == len(stages):
            return Decision(none, none, dict.fromkeys(range(len(table)), Stop.DEEPEST))
        cost = table.cost_ms[stages[at + 1]]
        over = HOPED_SHARE * table.expected_error_mm - table.price * cost
        taken = within_budget(over, np.full(len(table), cost), table.budget_ms)
        stop = {row: Stop.BUDGET if over[row] > 0 else Stop.CONFIDENT for row in range(len(table)) if row not in taken}
        return Decision(taken if at == 0 else none, taken if at == 1 else none, stop)
