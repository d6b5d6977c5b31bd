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

FOLLOW_S: Final = 0.06
FOLLOW_DEPTH_S: Final = 0.2
FOLLOW_ROOT_S: Final = 0.1
FOLLOW_PX_S: Final = 0.05
"""Time constants with which the carried body follows the coarse one: its joints across the picture and along the line
of sight, the root's distance, the joints in pixels. A coarse pose trembles: at once, its trembling would be carried
over; never, motion would be lost. It trembles most in depth."""

SURE: Final = 0.8
"""Score from which a joint is believed in full."""

FRESH_SHARE: Final = 0.9
"""Of a fresh look of a joint that is believed in full, beside the carried one."""

FORGET_S: Final = 0.3
"""Time constant with which the carried one loses its share of the others."""


def carried(known: Known, coarse: Looks, time_s: float, *, along: bool) -> Looks:
    """The deep looks [P] of these people, one row each, at the coarse looks [P] of now.

    Args:
        along: with the coarse motion; False: the body is held, only its place in the picture and in depth goes on.
    """
    shift = (coarse.joints_px.mean(1) - known.coarse.joints_px.mean(1))[:, None]
    px, mm = known.kept.joints_px + shift, known.kept.rel_mm
    depth = np.log(np.maximum(coarse.root_depth_mm, 1.0)) + known.offset_depth
    if along:
        elapsed_s = time_s - known.seen_s
        sure = np.square(believed(coarse))
        follow = np.stack([_share(elapsed_s, s) for s in (FOLLOW_S, FOLLOW_S, FOLLOW_DEPTH_S)], -1)[:, None]
        size = sizes(coarse.joints_px)[:, None, None]
        px = px + sure * _share(elapsed_s, FOLLOW_PX_S)[:, None, None] * (
            coarse.joints_px + size * known.offset_px - px)
        mm = mm + sure * follow * (coarse.rel_mm + known.offset_mm - mm)
        depth_before = np.log(np.maximum(known.kept.root_depth_mm, 1.0))
        depth = depth_before + _share(elapsed_s, FOLLOW_ROOT_S) * (depth - depth_before)
    return replace(known.kept, joints_px=px, rel_mm=mm, root_depth_mm=np.exp(depth))


def weighed(fresh: Looks, carried: Looks, elapsed_s: Floats) -> Looks:
    """Fresh looks [P] drawn to the carried ones, the more the less a joint is believed.

    What is hidden now was often seen a moment ago, and two looks tremble less than one.

    Args:
        elapsed_s: [P] since the frame before.
    """
    share = np.maximum(FRESH_SHARE * believed(fresh), _share(elapsed_s, FORGET_S)[:, None, None])
    px, mm = (old + share * (new - old) for new, old in (
        (fresh.joints_px, carried.joints_px), (fresh.rel_mm, carried.rel_mm)))
    return replace(fresh, joints_px=px, rel_mm=mm)


def believed(looks: Looks) -> Floats:
    """[P, 25, 1] 0 to 1, how far each joint is believed."""
    share: Floats = np.minimum(looks.joint_scores / SURE, 1.0)
    return share[..., None]


def _share(elapsed_s: Floats, constant_s: float) -> Floats:
    """[P] of the way to the newer pose, after a time."""
    share: Floats = -np.expm1(-elapsed_s / constant_s)
    return share


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
