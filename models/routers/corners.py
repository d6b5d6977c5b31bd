"""The corners that any rule must be compared with: nobody, everybody, and chance at the same rate."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Indices
from models.records import Stage, Stop
from models.routers.table import Decision, RoutingTable, within_budget

_NOBODY = np.array([], np.intp)


@dataclass(frozen=True, slots=True)
class NeverPolicy:
    """`coarse` alone."""

    name: str = "never"

    def decide(self, table: RoutingTable) -> Decision:
        return Decision(_NOBODY, _NOBODY, dict.fromkeys(range(len(table)), Stop.CONFIDENT))


@dataclass(frozen=True, slots=True)
class AlwaysPolicy:
    """Everybody through all stages to `deepest`, whatever it costs and gains, as far as the budget reaches;
    largest expected error first.
    """

    deepest: Stage = Stage.EXPERT
    name: str = "always"

    def decide(self, table: RoutingTable) -> Decision:
        stages = list(Stage)
        at, end = stages.index(table.stage), stages.index(self.deepest)
        if at >= end:
            return Decision(_NOBODY, _NOBODY, dict.fromkeys(range(len(table)), Stop.DEEPEST))
        to = stages[at + 1]
        cost = np.full(len(table), table.cost_ms[to])
        return _to(table, to, within_budget(table.expected_error_mm, cost, table.budget_ms))


@dataclass(frozen=True, slots=True)
class RandomPolicy:
    """Each person to refine or expert by chance, at fixed rates; chance hangs on the person's own numbers, so that it
    is the same again for the same frame (Clockwork's notebooks show adaptive rules losing to this corner)."""

    refine_rate: float = 0.3
    expert_rate: float = 0.1
    seed: int = 0
    name: str = "random"

    def decide(self, table: RoutingTable) -> Decision:
        if table.stage is not Stage.COARSE:
            return Decision(_NOBODY, _NOBODY, dict.fromkeys(range(len(table)), Stop.DEEPEST))
        chance = self._chance(table.size_px)
        wanted = np.where(chance < self.expert_rate, 2, np.where(chance < self.expert_rate + self.refine_rate, 1, 0))
        cost = np.array([table.cost_ms[list(Stage)[step]] for step in wanted])
        taken = within_budget(np.where(wanted > 0, 1 - chance, 0.0), cost, table.budget_ms)
        stop = {row: Stop.BUDGET if wanted[row] else Stop.GAIN_BELOW_PRICE
                for row in range(len(table)) if row not in taken}
        return Decision(taken[wanted[taken] == 1], taken[wanted[taken] == 2], stop)

    def _chance(self, size_px: Floats) -> Floats:
        """[P] uniform in 0..1, a function of the seed and of the digits that carry no meaning."""
        keys = np.frombuffer(np.ascontiguousarray(size_px, np.float64).tobytes(), np.uint64)
        return np.array([np.random.default_rng([self.seed, int(key)]).random() for key in keys])


def _to(table: RoutingTable, stage: Stage, taken: Indices) -> Decision:
    stop = {row: Stop.BUDGET for row in range(len(table)) if row not in taken}
    return Decision(taken if stage is Stage.REFINE else _NOBODY, taken if stage is Stage.EXPERT else _NOBODY, stop)
