"""A gate before each deep stage that may pass over it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posecascade.models.policies.budget import allocate, everybody_stops
from posecascade.models.policies.linear import Linear, nearest_price
from posecascade.models.policies.table import Decision, RoutingTable
from posecascade.models.records import Stage, Stop


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
    error + price x cost (see `posecascade.models.lab.fitting.skipnet`).
    """

    gates: Sequence[Gates]
    """Cheapest price first; the nearest one is used."""
    name: str = "skip"

    def decide(self, table: RoutingTable) -> Decision:
        """Refine where its gate opens; expert where refine's stays shut and expert's opens."""
        if table.stage is Stage.EXPERT:
            return everybody_stops(table, Stop.DEEPEST)
        gates = self.gates[
            nearest_price(np.array([one.price for one in self.gates]), table.price)
        ]
        features = table.features
        if table.stage is Stage.REFINE:
            return allocate(table, gates.expert_after_refine.of(features)[None])
        refine = gates.refine.of(features)
        expert = gates.expert.of(features)
        return allocate(
            table, np.stack([refine, np.where(refine > 0, -np.inf, expert)])
        )
