"""A gate before each deep stage that may pass over it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.records import Stage, Stop
from models.routers.buying import buy, everybody_stops
from models.routers.linear import Linear, nearest_price
from models.routers.table import Decision, RoutingTable


@dataclass(frozen=True, slots=True)
class Gates:
    """Logits of running a stage, learned for one price."""

    price: float
    refine: Linear
    """From the features after `coarse`."""
    expert: Linear
    """From the features after `coarse`, for those who skip `refine`."""
    expert_after_refine: Linear


@dataclass(frozen=True, slots=True)
class SkipPolicy:
    """Each deep stage runs where its gate's probability exceeds a half; the middle one may be passed over.

    Source: SkipNet, arXiv 1711.09485, section 3: gates begin soft and supervised, then are learned hard by REINFORCE on
    error + price x cost (see `models.routing.gates`).
    """

    gates: Sequence[Gates]
    """Cheapest price first; the nearest one is used."""
    name: str = "skip"

    def decide(self, table: RoutingTable) -> Decision:
        """Refine where its gate opens; expert where refine's stays shut and expert's opens."""
        if table.stage is Stage.EXPERT:
            return everybody_stops(table, Stop.DEEPEST)
        gates = self.gates[nearest_price(np.array([one.price for one in self.gates]), table.price)]
        features = table.features
        if table.stage is Stage.REFINE:
            return buy(table, gates.expert_after_refine.of(features)[None])
        refine, expert = gates.refine.of(features), gates.expert.of(features)
        return buy(table, np.stack([refine, np.where(refine > 0, -np.inf, expert)]))
