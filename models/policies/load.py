"""What the machine lacks just now, in the words that policies know: a price, and a budget."""

import math
from dataclasses import dataclass, replace
from typing import Final

from posecascade.models.policies.baselines import AlwaysPolicy
from posecascade.models.policies.table import Decision, Policy, RoutingTable
from posecascade.models.records import Stop

LOAD_SHEDDING_STOPS: Final = (Stop.LOAD, Stop.DEADLINE)
"""Why people stop who would go deeper on an idle machine."""


@dataclass(frozen=True, slots=True)
class LoadState:
    """On the deeper looks of one frame at one moment, beyond what its caller asked for. By default there is none."""

    price: float = 0.0
    """mm of expected error that one more millisecond must remove, on top of the caller's price."""
    left_ms: float = math.inf
    """Time of deeper stages, at the manifest's costs, that can still be answered before the frame's deadline."""

    def decide(self, policy: Policy, priced: Policy, table: RoutingTable) -> Decision:
        """What `policy` decides under pressure. Who would go deeper without it stops with `LOAD` or `DEADLINE`.

        Args:
            policy: the caller's.
            priced: stands in, while there is a price, for a policy that knows none: the least rewarding people must
                lose their look first whatever was asked for.
            table: with the caller's price and budget.
        """
        requested = policy.decide(table)
        if self.price <= 0 and self.left_ms >= table.budget_ms:
            return requested
        pressed = (
            priced if self.price > 0 and isinstance(policy, AlwaysPolicy) else policy
        )
        budget_ms = min(table.budget_ms, self.left_ms)
        now = pressed.decide(
            replace(table, price=table.price + self.price, budget_ms=budget_ms)
        )
        shed = {
            row: Stop.DEADLINE
            if why is Stop.BUDGET and self.left_ms < table.budget_ms
            else Stop.LOAD
            for row, why in now.stop.items()
            if row not in requested.stop
        }
        return Decision(now.refine, now.expert, now.stop | shed)
