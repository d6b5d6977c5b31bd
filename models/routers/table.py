"""The routing table: all that a policy may know of the people of a frame. Numbers only."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.arrays import Floats, Indices
from models.records import Stage, Stop

FEATURES = ("log_expected_error", "log_worst_sigma", "score", "mean_joint_score", "log_size_px", "truncated", "overlap",
            "disagreement")
"""Order of `RoutingTable.features`."""


@dataclass(frozen=True, slots=True, eq=False)
class RoutingTable:
    """Columns [P], one row a person who might be looked at again; all were last seen by `stage`."""

    stage: Stage
    expected_error_mm: Floats
    worst_sigma_mm: Floats
    """Largest calibrated sigma of any joint."""
    score: Floats
    mean_joint_score: Floats
    size_px: Floats
    """Root of the area of the box round the joints, frame pixels."""
    truncated: Floats
    """Share of the joints outside the frame."""
    overlap: Floats
    """Largest share of the box that another person's box covers."""
    disagreement: Floats
    """Mean distance between two readings of the same joints, in sizes of the body."""
    cost_ms: dict[Stage, float]
    """Of one more person at each deeper stage."""
    price: float
    """mm of expected error that one millisecond must remove."""
    budget_ms: float
    """Left for the deeper stages of this frame; infinite when nobody asked."""
    who: Indices
    """Each person's place among the people of the frame: the same at every stage."""

    def __len__(self) -> int:
        return len(self.score)

    @property
    def features(self) -> Floats:
        """[P, F] in the order of `FEATURES`."""
        return np.column_stack([np.log(self.expected_error_mm), np.log(self.worst_sigma_mm), self.score,
                                self.mean_joint_score, np.log(self.size_px), self.truncated, self.overlap,
                                np.minimum(self.disagreement, 3.0)])


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What becomes of each person of a table."""

    refine: Indices
    expert: Indices
    stop: dict[int, Stop]
    """Why, for everybody who is in neither."""


class Policy(Protocol):
    """Decides who is looked at again. A pure function of the table."""

    @property
    def name(self) -> str: ...

    def decide(self, table: RoutingTable) -> Decision:
        """Every row of the table exactly once: in `refine`, `expert` or `stop`."""


def within_budget(gain_mm: Floats, cost_ms: Floats, budget_ms: float) -> Indices:
    """Indices of the people that the budget reaches, largest gain first.

    Args:
        gain_mm: [P]; people whose gain is not positive are never taken.
        cost_ms: [P] of each.
        budget_ms: for all of them.
    """
    order = np.argsort(-gain_mm, kind="stable")
    order = order[gain_mm[order] > 0]
    return order[np.cumsum(cost_ms[order]) <= budget_ms]
