"""Go on where the next look is expected to remove more error than its time is worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.policies.budget import allocate, deeper_than
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.table import Decision, RoutingTable
from posecascade.models.records import Stage

Step = tuple[Stage, tuple[Stage, ...]]
"""Last seen by a stage, and the stages that look next, in their order."""


@dataclass(frozen=True, slots=True)
class GainPolicy:
    """Regressed gain against price times cost: who is hard but hopeless stops early, as `GAIN_BELOW_PRICE`.

    A stage is worth the best of the ways that begin with it, so that a look is also bought for the one after it; that
    one is decided anew with what the first has seen.

    Sources: DynPose (CVPR 2025) regresses the relative gain between two 2D networks; arXiv 2307.02764 says why the
    difference of errors, and not the first error, is what to ask for.
    """

    gains: Mapping[Step, Linear]
    name: str = "gain"

    def decide(self, table: RoutingTable) -> Decision:
        """The deeper stage of the largest net gain, or none."""
        features = table.features
        return allocate(
            table,
            np.array(
                [
                    self._worth(table, features, stage)
                    for stage in deeper_than(table.stage)
                ]
            ),
        )

    def _worth(self, table: RoutingTable, features: Floats, first: Stage) -> Floats:
        """[P] the largest net gain of the ways that begin with `first`."""
        worth = np.full(len(table), -np.inf)
        for (last, way), gain in self.gains.items():
            if last is table.stage and way[0] is first:
                removed = np.minimum(gain.of(features), table.expected_error_mm)
                worth = np.maximum(
                    worth,
                    removed - table.price * sum(table.cost_ms[stage] for stage in way),
                )
        return worth
