"""Thresholds of the whole chain, chosen together for a price."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posecascade.models.policies.budget import allocate, deeper_than, everybody_stops
from posecascade.models.policies.linear import nearest_price
from posecascade.models.policies.table import Decision, RoutingTable
from posecascade.models.records import Stage, Stop


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found for one price."""

    price: float
    coarse_mm: float
    """Expected error after `coarse` above which people go on to `refine`."""
    refine_mm: float
    """Expected error after `refine` above which they go on to `expert`."""


@dataclass(frozen=True, slots=True)
class IdkPolicy:
    """A stage that says "I don't know" hands on to the next; the thresholds of all stages were searched together, for
    the least error + price x cost on held-out people.

    Source: IDK Cascades, arXiv 1706.00885, sections 2.2 and 3.2; there the score is an entropy, here the calibrated
    expected error.
    """

    chains: Sequence[Chain]
    """Cheapest price first; the nearest one is used."""
    name: str = "idk"

    def decide(self, table: RoutingTable) -> Decision:
        """The next stage or none."""
        stages = deeper_than(table.stage)
        if not stages:
            return everybody_stops(table, Stop.DEEPEST)
        chain = self.chains[
            nearest_price(np.array([one.price for one in self.chains]), table.price)
        ]
        net = np.full((len(stages), len(table)), -np.inf)
        net[0] = table.expected_error_mm - (
            chain.coarse_mm if table.stage is Stage.COARSE else chain.refine_mm
        )
        return allocate(table, net, Stop.CONFIDENT)
