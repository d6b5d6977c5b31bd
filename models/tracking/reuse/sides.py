"""Left and right of a body: limbs that `coarse` has swapped, and bodies that have rotated away.

`coarse` swaps the sides for a few frames at a time, most often the legs of people seen from the side.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.detections import Detections
from posecascade.models.skeleton import JOINT_NAMES

MAX_SWAPPED_SHARE: Final = 0.5
"""Limbs are swapped where that brings them to less than this share of their distance from where they should be."""

MIN_DISTANCE_MM: Final = 150.0
"""Limbs nearer than this to where they should be keep their sides."""

MAX_ROTATION_DEG: Final = 60.0
"""Since the refinement. The coarse left-right axis of a body at rest swings by half of that."""

_LEG: Final = ("hip", "knee", "ankle", "heel", "toe")
_ARM: Final = ("shoulder", "elbow", "wrist")
_TORSO: Final = ("shoulder", "hip")


def _joints(side: str, parts: tuple[str, ...]) -> Indices:
    return np.array([JOINT_NAMES.index(f"{side}_{part}") for part in parts])


_LIMBS: Final = tuple(
    (_joints("left", parts), _joints("right", parts)) for parts in (_LEG, _ARM)
)
_LEFT_TORSO: Final = _joints("left", _TORSO)
_RIGHT_TORSO: Final = _joints("right", _TORSO)

_JOINT_COLUMNS: Final = ("joints_px", "rel_mm", "joint_scores", "sigma_mm")
"""Columns of `Detections` that have a joint axis."""


def fix_left_right(coarse: Detections, expected_mm: Floats) -> Detections:
    """The detections [P] with swapped legs or arms put right.

    Args:
        coarse: whose limbs are swapped where they are far from the expected ones, and near them once swapped.
        expected_mm: [P, 25, 3] expected bodies, relative to the root.
    """
    source = np.tile(np.arange(len(JOINT_NAMES)), (len(coarse), 1))  # [P, 25]
    for left, right in _LIMBS:
        joints = np.concatenate([left, right])
        opposite = np.concatenate([right, left])
        expected = expected_mm[:, joints]
        as_given_mm = _mean_distance_mm(coarse.rel_mm[:, joints], expected)
        swapped_mm = _mean_distance_mm(coarse.rel_mm[:, opposite], expected)
        is_far = as_given_mm > MIN_DISTANCE_MM
        is_nearer_swapped = swapped_mm < MAX_SWAPPED_SHARE * as_given_mm
        rows = np.flatnonzero(is_far & is_nearer_swapped)
        source[rows[:, None], joints] = opposite
    columns = {
        name: _reordered(getattr(coarse, name), source) for name in _JOINT_COLUMNS
    }
    return replace(coarse, **columns)


def rotated_away(before_mm: Floats, now_mm: Floats) -> Mask:
    """[P] whether bodies [P, 25, 3] have rotated so far that a correction of their other side no longer helps.

    The axis runs from right to left through shoulders and hips. False where it has no length.
    """
    before = _left_right_axis(before_mm)
    now = _left_right_axis(now_mm)
    length = np.linalg.norm(before, axis=1) * np.linalg.norm(now, axis=1)
    smallest = np.cos(np.radians(MAX_ROTATION_DEG)) * length
    return np.asarray((before * now).sum(1) < smallest)


def _left_right_axis(body_mm: Floats) -> Floats:
    axis: Floats = body_mm[:, _LEFT_TORSO].mean(1) - body_mm[:, _RIGHT_TORSO].mean(1)
    return axis


def _mean_distance_mm(one_mm: Floats, other_mm: Floats) -> Floats:
    """[P] over the joints of [P, N, 3]."""
    distance: Floats = np.linalg.norm(one_mm - other_mm, axis=-1).mean(1)
    return distance


def _reordered(column: Floats, source: Indices) -> Floats:
    """[P, 25, ...] joints of each row in the order `source` [P, 25]."""
    trailing = [1] * (column.ndim - 2)
    return np.take_along_axis(column, source.reshape(*source.shape, *trailing), 1)
