"""Where the people of one frame stand between two decisions, and what the router is told of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.arrays import Indices
from models.looks import Looks, heights, moved, outside, overlaps, sizes
from models.records import Stage, Stop
from models.reuse.carrying import widened
from models.reuse.recall import Recall
from models.routers import Past, RoutingTable


@dataclass(slots=True)
class Progress:
    """One row a person; changed only by `Cascade.steps`."""

    looks: Looks
    first: Looks
    """What `coarse` said: every deeper stage is told this, so that two of them look independently."""
    stage: list[Stage]
    stop: dict[int, Stop] = field(default_factory=dict)
    depth_ms: list[float] = field(default_factory=list)
    degraded: set[int] = field(default_factory=set)
    reused: dict[int, int] = field(default_factory=dict)
    """Frames that were answered with the deep look of an earlier one, of those who are."""

    def reuse(self, rows: Indices, recall: Recall) -> None:
        """Answers these people as `recall` has them."""
        self.looks = self.looks.replaced(rows, widened(recall.carried[rows], recall.expected_mm[rows]))
        stages = recall.stages()
        for row in map(int, rows):
            self.stage[row], self.reused[row] = stages[row], int(recall.frames[row])

    def table(self, last: Stage, past: Past, whole_wh_px: tuple[int, int], *, cost_ms: Mapping[Stage, float],
              price: float, budget_ms: float) -> RoutingTable:
        """What a policy is told of those who wait after `last`; its `who` are their rows.

        Args:
            past: of everybody in the frame.
            whole_wh_px: size of the frame.
        """
        rows = self._waiting(last)
        some, first, everybody = self.looks[rows], self.first[rows], self.looks.joints_px
        return RoutingTable(
            stage=last, expected_error_mm=some.expected_error_mm, worst_sigma_mm=some.sigma_mm.max(1, initial=0.0),
            sigma_spread=np.log(np.maximum(some.sigma_mm, 1e-3)).std(1), score=some.score,
            mean_joint_score=some.joint_scores.mean(1), size_px=sizes(some.joints_px),
            height_px=heights(some.joints_px), truncated=outside(some.joints_px, *whole_wh_px),
            overlap=overlaps(everybody)[rows], disagreement=some.disagreement,
            moved=moved(first.joints_px, some.joints_px),
            moved_mm=np.linalg.norm(some.rel_mm - first.rel_mm, axis=-1).mean(1), past=past.of(rows),
            cost_ms=dict(cost_ms), price=price, budget_ms=budget_ms, who=rows)

    def _waiting(self, last: Stage) -> Indices:
        """Rows of those whom `last` has seen and nobody deeper, and who have not stopped."""
        here = [row for row, stage in enumerate(self.stage) if stage is last and row not in self.stop]
        return np.array(here, np.intp)
