"""Go on while the stage's own calibrated doubt is too large: the rule of Layer Cascade, carried over to regression."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posecascade.models.policies.budget import allocate, deeper_than, everybody_stops
from posecascade.models.policies.table import Decision, RoutingTable
from posecascade.models.records import Stage, Stop


@dataclass(frozen=True, slots=True)
class ThresholdPolicy:
    """One stage further whenever the expected error exceeds tau = price x cost / share.

    Source: Layer Cascade, arXiv 1704.01344, section 3.2; there rho bounds a class probability of a pixel, here tau an
    error in millimetres of a person.
    """

    shares: Mapping[Stage, float]
    """Of its expected error that a person loses at the look after a stage, on average: ties tau to the price."""
    name: str = "threshold"

    def decide(self, table: RoutingTable) -> Decision:
        """The next stage or none."""
        stages = deeper_than(table.stage)
        if not stages:
            return everybody_stops(table, Stop.DEEPEST)
        net = np.full((len(stages), len(table)), -np.inf)
        net[0] = (
            self.shares[table.stage] * table.expected_error_mm
            - table.price * table.cost_ms[stages[0]]
        )
        return allocate(table, net, Stop.CONFIDENT)
