"""The routing table: all that a policy may know of the people of a frame. Numbers only."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.records import Stage, Stop

FEATURES = (
    "log_expected_error",
    "log_worst_sigma",
    "sigma_spread",
    "score",
    "mean_joint_score",
    "log_size_px",
    "log_height_px",
    "truncated",
    "overlap",
    "disagreement",
    "pose_change",
    "pose_change_mm",
    "change",
    "speed",
    "age_s",
)
"""Order of `RoutingTable.features`; each is told at the column of `RoutingTable` or `Past` that it comes from."""
NEVER_S = 10.0
"""Age of a deep look that was never taken, and the most that an older one is said to be."""


@dataclass(frozen=True, slots=True, eq=False)
class TemporalFeatures:
    """Columns [P]: what a stream knows of each person from the frames before."""

    change: Floats
    """Mean distance of the joints in the picture from where the last frame's answer, moved along, has them, in sizes
    of the body; 0 for who was not there."""
    speed: Floats
    """Of the root in the picture, sizes of the body a second; 0 for who was not there."""
    age_s: Floats
    """Since a deeper stage last saw them; `NEVER_S` if none did."""
    saving_mm: Floats
    """What a fresh look saves a frame beyond the one that is carried, if it is denied; infinite where none is. No
    feature: it bounds what a look is worth, see `buying.buy`."""

    @staticmethod
    def unknown(people: int) -> "TemporalFeatures":
        """Of a single picture."""
        return TemporalFeatures(
            np.zeros(people),
            np.zeros(people),
            np.full(people, NEVER_S),
            np.full(people, np.inf),
        )

    def of(self, rows: Indices) -> "TemporalFeatures":
        """These people."""
        return TemporalFeatures(
            self.change[rows], self.speed[rows], self.age_s[rows], self.saving_mm[rows]
        )


@dataclass(frozen=True, slots=True, eq=False)
class RoutingTable:
    """Columns [P], one row a person who might be looked at again; all were last seen by `stage`."""

    stage: Stage
    expected_error_mm: Floats
    worst_sigma_mm: Floats
    """Largest calibrated sigma of any joint."""
    sigma_spread: Floats
    """Standard deviation over the joints of the sigma's logarithm."""
    score: Floats
    mean_joint_score: Floats
    size_px: Floats
    """Root of the area of the box round the joints, frame pixels."""
    height_px: Floats
    """Of that box."""
    truncated: Floats
    """Share of the joints outside the frame."""
    overlap: Floats
    """Largest share of the box that another person's box covers."""
    disagreement: Floats
    """Mean distance between two readings of the same joints, in sizes of the body (single-shot multi-person 3D pose,
    arXiv 1712.03453, reads each pose at several places: their disagreement tells of doubt)."""
    pose_change: Floats
    """Mean distance in the picture between what `stage` and `coarse` say, in sizes of the body; 0 after `coarse`."""
    pose_change_mm: Floats
    """Mean distance between the bodies that `stage` and `coarse` say, each relative to its root; 0 after `coarse`."""
    temporal: TemporalFeatures
    cost_ms: dict[Stage, float]
    """Of one more person at each deeper stage."""
    price: float
    """mm of expected error that one millisecond must remove."""
    budget_ms: float
    """Left for the deeper stages of this frame; infinite when nobody asked."""
    person_index: Indices
    """Each person's place among the people of the frame: the same at every stage."""

    def __len__(self) -> int:
        return len(self.score)

    @staticmethod
    def from_features(
        stage: Stage,
        features: Floats,
        *,
        cost_ms: dict[Stage, float],
        price: float,
        budget_ms: float,
        person_index: Indices,
    ) -> "RoutingTable":
        """The table that `features` [P, F] came from, as far as they tell: they bound a few columns."""
        column = dict(
            zip(
                FEATURES,
                np.asarray(features, float).reshape(-1, len(FEATURES)).T,
                strict=True,
            )
        )
        return RoutingTable(
            stage=stage,
            expected_error_mm=np.exp(column["log_expected_error"]),
            worst_sigma_mm=np.exp(column["log_worst_sigma"]),
            sigma_spread=column["sigma_spread"],
            score=column["score"],
            mean_joint_score=column["mean_joint_score"],
            size_px=np.exp(column["log_size_px"]),
            height_px=np.exp(column["log_height_px"]),
            truncated=column["truncated"],
            overlap=column["overlap"],
            disagreement=column["disagreement"],
            pose_change=column["pose_change"],
            pose_change_mm=column["pose_change_mm"],
            temporal=TemporalFeatures(
                column["change"],
                column["speed"],
                column["age_s"],
                np.full_like(column["age_s"], np.inf),
            ),
            cost_ms=cost_ms,
            price=price,
            budget_ms=budget_ms,
            person_index=person_index,
        )

    @property
    def features(self) -> Floats:
        """[P, F] in the order of `FEATURES`, finite whatever a network said: NaN counts as nothing known."""
        raw = np.column_stack(
            [
                np.log(np.maximum(self.expected_error_mm, 1e-3)),
                np.log(np.maximum(self.worst_sigma_mm, 1e-3)),
                self.sigma_spread,
                self.score,
                self.mean_joint_score,
                np.log(np.maximum(self.size_px, 1e-3)),
                np.log(np.maximum(self.height_px, 1e-3)),
                self.truncated,
                self.overlap,
                np.minimum(self.disagreement, 3.0),
                np.minimum(self.pose_change, 3.0),
                np.minimum(self.pose_change_mm, 1000.0),
                np.minimum(self.temporal.change, 3.0),
                np.minimum(self.temporal.speed, 10.0),
                np.minimum(self.temporal.age_s, NEVER_S),
            ]
        )
        finite: Floats = np.nan_to_num(raw, nan=0.0, posinf=1e3, neginf=-1e3)
        return finite


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
