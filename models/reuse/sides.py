"""Which is left and which is right: `coarse` mixes them up for some frames at a time, most often legs from the side."""

from dataclasses import replace
from typing import Final

import numpy as np

from models.arrays import Floats, Indices
from models.looks import Looks
from models.skeleton import JOINT_NAMES

SWAPPED: Final = 0.5
"""Limbs are swapped where that brings them to less than this share of their distance from where they should be."""

APART_MM: Final = 150.0
"""Mean distance of limbs below which their sides are taken as they are said."""

_PARTS: Final = (("hip", "knee", "ankle", "heel", "toe"), ("shoulder", "elbow", "wrist"))


def _joints(side: str, parts: tuple[str, ...]) -> Indices:
    return np.array([JOINT_NAMES.index(f"{side}_{part}") for part in parts])


_LIMBS: Final = tuple((_joints("left", parts), _joints("right", parts)) for parts in _PARTS)
"""Left and right joints of the legs and of the arms."""


def like(coarse: Looks, expected_mm: Floats) -> Looks:
    """The looks [P], legs or arms swapped where they are far from the bodies [P, 25, 3] that are expected, relative to
    the root, and near once swapped."""
    source = np.tile(np.arange(len(JOINT_NAMES)), (len(coarse), 1))  # [P, 25]
    for left, right in _LIMBS:
        both, other = np.concatenate([left, right]), np.concatenate([right, left])
        same, swapped = (np.linalg.norm(coarse.rel_mm[:, joints] - expected_mm[:, both], axis=-1).mean(1)
                         for joints in (both, other))
        rows = np.flatnonzero((same > APART_MM) & (swapped < SWAPPED * same))
        source[rows[:, None], both] = other
    joints = {name: np.take_along_axis(getattr(coarse, name), source.reshape(*source.shape, *[1] * extra), 1)
              for name, extra in (("joints_px", 1), ("rel_mm", 1), ("joint_scores", 0), ("sigma_mm", 0))}
    return replace(coarse, **joints)
