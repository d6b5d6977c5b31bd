"""People of a frame in columns, while the cascade works on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.camera import back_project
from posecascade.models.records import Camera, Pose


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """One row a person: calibrated estimates of a stage, in the frame's pixels and the camera's axes."""

    score: Floats
    """[P]"""
    joints_px: Floats
    """[P, 25, 2]"""
    joint_scores: Floats
    """[P, 25]"""
    rel_mm: Floats
    """[P, 25, 3]"""
    sigma_mm: Floats
    """[P, 25]"""
    root_depth_mm: Floats
    """[P]"""
    root_depth_sigma_mm: Floats
    """[P]"""
    disagreement: Floats
    """[P]"""

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, rows: Indices) -> "Detections":
        return Detections(*(getattr(self, name)[rows] for name in COLUMNS))

    def replaced(self, rows: Indices, other: "Detections") -> "Detections":
        """A copy in which `rows` are taken from `other`."""
        columns = {name: getattr(self, name).copy() for name in COLUMNS}
        for name, column in columns.items():
            column[rows] = getattr(other, name)
        return Detections(**columns)

    @property
    def sound(self) -> Mask:
        """[P] all numbers are finite and the distance positive: anything else is no answer."""
        finite = [
            np.isfinite(getattr(self, name)).reshape(len(self), -1).all(1)
            for name in COLUMNS
        ]
        return np.asarray(np.all(finite, axis=0) & (self.root_depth_mm > 0))

    @property
    def expected_error_mm(self) -> Floats:
        """[P], see `Pose.expected_error_mm`."""
        error: Floats = np.sqrt(0.75) * self.sigma_mm.mean(1)
        return error

    def pose(self, row: int, camera: Camera) -> Pose:
        """A person's pose as a record."""
        depth = self.root_depth_mm[row]
        root = back_project(self.joints_px[row, 0], depth, camera)
        return Pose(
            self.joints_px[row],
            self.joint_scores[row],
            self.rel_mm[row],
            self.sigma_mm[row],
            root,
            float(self.root_depth_sigma_mm[row] * np.linalg.norm(root) / depth),
        )


COLUMNS = tuple(Detections.__dataclass_fields__)


PREVIOUS_DEPTH_WEIGHT: Final = 0.3
"""Of the estimate before, in the root depth after a deeper stage. Depth is noisy where joints are hidden, and averaging
steadies it. Weighting by variance steadies it more, but `coarse` is biased on real footage."""

PREVIOUS_STAGE_WEIGHT: Final = 0.5
"""Of `refine`, in the body after `expert`. Both had the prior of `coarse` and read the crop with networks of their own,
so that their mean is better than either; see docs/results.md."""


def blend_root_depth(refined: Detections, before: Detections) -> Detections:
    """The refined estimates [P] with a share of the root depth before them, in logarithms."""
    own_share = refined.root_depth_mm ** (1 - PREVIOUS_DEPTH_WEIGHT)
    previous_share = before.root_depth_mm**PREVIOUS_DEPTH_WEIGHT
    return replace(refined, root_depth_mm=own_share * previous_share)


def average_with_previous_stage(
    refined: Detections, before: Detections, was_deep: Mask
) -> Detections:
    """The refined estimates [P]; where `was_deep` [P], averaged with the deep estimate before them.

    Only the body is averaged: in the picture the deeper stage is better alone. Sigmas are averaged like errors, because
    two stages that see one picture err together.
    """
    weight = np.where(was_deep, 1 - PREVIOUS_STAGE_WEIGHT, 0.0)
    rel_mm = before.rel_mm - refined.rel_mm
    sigma_mm = before.sigma_mm - refined.sigma_mm
    return replace(
        refined,
        rel_mm=refined.rel_mm + weight[:, None, None] * rel_mm,
        sigma_mm=refined.sigma_mm + weight[:, None] * sigma_mm,
    )


def concatenated(parts: Sequence[Detections]) -> Detections:
    """All rows of several records, in their order."""
    columns = {}
    for name in COLUMNS:
        values = [getattr(part, name) for part in parts]
        columns[name] = np.concatenate(values)
    return Detections(**columns)


def shifted(detections: Detections, x_px: float, y_px: float) -> Detections:
    """Detections in a region of a frame, moved to the frame's pixels."""
    return replace(detections, joints_px=detections.joints_px + [x_px, y_px])
