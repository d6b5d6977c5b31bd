"""A deep look a few frames later: the coarse pose of now and what the deep stages had to correct.

Source: Deep Feature Flow (arXiv 1611.07715) moves the features of a key frame along the flow. Here the pose is moved
along the coarse pose, which is computed anyway.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from models.arrays import Floats
from models.looks import Looks, sizes
from models.reuse.known import Known

FOLLOW_S: Final = 0.1
FOLLOW_PX_S: Final = 0.05
"""Time constants with which the carried body follows the coarse one in space and in the picture. A coarse
pose trembles: at once, its trembling would be carried over; never, motion would be lost."""


def carried(known: Known, coarse: Looks, time_s: float, *, along: bool) -> Looks:
    """The deep looks [P] of these people, one row each, at the coarse looks [P] of now.

    Args:
        along: with the coarse motion; False: the body is held, only its place in the picture and in depth goes on.
    """
    shift = (coarse.joints_px.mean(1) - known.coarse.joints_px.mean(1))[:, None]
    px, mm = known.kept.joints_px + shift, known.kept.rel_mm
    depth = np.log(np.maximum(coarse.root_depth_mm, 1.0)) + known.offset_depth
    if along:
        follow, follow_px = (-np.expm1(-(time_s - known.seen_s) / constant_s)[:, None, None]
                             for constant_s in (FOLLOW_S, FOLLOW_PX_S))
        size = sizes(coarse.joints_px)[:, None, None]
        px = px + follow_px * (coarse.joints_px + size * known.offset_px - px)
        mm = mm + follow * (coarse.rel_mm + known.offset_mm - mm)
        depth_before = np.log(np.maximum(known.kept.root_depth_mm, 1.0))
        depth = depth_before + follow[:, 0, 0] * (depth - depth_before)
    return replace(known.kept, joints_px=px, rel_mm=mm, root_depth_mm=np.exp(depth))


def corrections(deep: Looks, coarse: Looks) -> tuple[Floats, Floats, Floats]:
    """What `deep` [P] adds to `coarse` [P]: `Known.offset_px`, `offset_mm` and `offset_depth`."""
    return ((deep.joints_px - coarse.joints_px) / sizes(coarse.joints_px)[:, None, None], deep.rel_mm - coarse.rel_mm,
            np.log(np.maximum(deep.root_depth_mm, 1.0) / np.maximum(coarse.root_depth_mm, 1.0)))


def deviation_mm(one: Looks, other: Looks) -> Floats:
    """[P] mean distance of the joints of two bodies, each relative to its root."""
    away: Floats = np.linalg.norm(one.rel_mm - other.rel_mm, axis=-1).mean(1)
    return away


def extra_mm(deviation_mm: Floats, deep: Looks) -> Floats:
    """[P] error that deviations [P] from deep looks [P] are expected to add to what those are wrong by anyway.

    Where a fresh look would be off by much in ways of its own, being near it is worth little.
    """
    error = deep.expected_error_mm
    extra: Floats = np.hypot(error, deviation_mm) - error
    return extra


def widened(looks: Looks, by_mm: Floats) -> Looks:
    """The looks [P], their sigma widened by an expected distance [P] of the pose from what it was stated for."""
    return replace(looks, sigma_mm=np.hypot(looks.sigma_mm, by_mm[:, None]))
