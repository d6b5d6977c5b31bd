"""Propagation of a refined estimate to a later frame, along the coarse pose, and its fusion with a new estimate.

Source: Deep Feature Flow (arXiv 1611.07715) moves the features of a key frame along the flow. Here the pose is moved
along the coarse pose, which is computed anyway.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.detections import Detections
from posecascade.models.keypoints import box_scales
from posecascade.models.tracking.reuse.tracks import Tracks

FOLLOW_S: Final = 0.06
FOLLOW_DEPTH_S: Final = 0.2
FOLLOW_ROOT_S: Final = 0.1
FOLLOW_PX_S: Final = 0.05
"""Time constants with which a propagated body follows the coarse one: its joints across the image, its joints in depth,
its root's distance, its joints in pixels. Coarse poses jitter, most of all in depth. A constant of zero would pass the
jitter on, an infinite one would lose the motion."""

FULL_CONFIDENCE: Final = 0.8
"""Joint score from which a joint has full weight."""

NEW_SHARE: Final = 0.9
"""Weight of the new estimate of a joint with full confidence, beside the propagated one."""

FORGET_S: Final = 0.3
"""Time constant with which the propagated estimate loses its weight at joints of low confidence."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What a refinement adds to the coarse estimates of P people."""

    px: Floats
    """[P, 25, 2] in sizes of the coarse body."""
    mm: Floats
    """[P, 25, 3] relative to the root."""
    log_depth: Floats
    """[P] of the root."""

    @staticmethod
    def between(refined: Detections, coarse: Detections) -> "Correction":
        """The correction from `coarse` [P] to `refined` [P]."""
        size_px = box_scales(coarse.joints_px)[:, None, None]
        refined_depth_mm = np.maximum(refined.root_depth_mm, 1.0)
        coarse_depth_mm = np.maximum(coarse.root_depth_mm, 1.0)
        return Correction(
            px=(refined.joints_px - coarse.joints_px) / size_px,
            mm=refined.rel_mm - coarse.rel_mm,
            log_depth=np.log(refined_depth_mm / coarse_depth_mm),
        )


def propagated(
    tracks: Tracks, coarse: Detections, time_s: float, *, follow_motion: bool
) -> Detections:
    """The estimates [P] of these tracks, moved to the coarse detections [P] of now.

    Args:
        tracks: [P] one row a person.
        coarse: [P] the detections of this frame.
        time_s: of this frame.
        follow_motion: False: the body stays as it was; only its place in the image and in depth follows.
    """
    shift_px = coarse.joints_px.mean(1) - tracks.coarse.joints_px.mean(1)
    moved = replace(
        tracks.pose,
        joints_px=tracks.pose.joints_px + shift_px[:, None],
        root_depth_mm=np.exp(_corrected_log_depth(tracks, coarse)),
    )
    if not follow_motion:
        return moved
    return _following(tracks, moved, coarse, time_s - tracks.seen_s)


def _following(
    tracks: Tracks, moved: Detections, coarse: Detections, elapsed_s: Floats
) -> Detections:
    """The estimates [P] `moved` in the image, whose joints and depth follow the coarse ones."""
    weight = np.square(confidence_weight(coarse))  # [P, 25, 1]
    weight_px = weight * _follow_share(elapsed_s, FOLLOW_PX_S)[:, None, None]
    size_px = box_scales(coarse.joints_px)[:, None, None]
    target_px = coarse.joints_px + size_px * tracks.offset_px
    xyz_shares = [
        _follow_share(elapsed_s, constant_s)
        for constant_s in (FOLLOW_S, FOLLOW_S, FOLLOW_DEPTH_S)
    ]
    weight_mm = weight * np.stack(xyz_shares, -1)[:, None]
    target_mm = coarse.rel_mm + tracks.offset_mm
    log_depth_before = np.log(np.maximum(tracks.pose.root_depth_mm, 1.0))
    step = _corrected_log_depth(tracks, coarse) - log_depth_before
    log_depth = log_depth_before + _follow_share(elapsed_s, FOLLOW_ROOT_S) * step
    return replace(
        moved,
        joints_px=moved.joints_px + weight_px * (target_px - moved.joints_px),
        rel_mm=moved.rel_mm + weight_mm * (target_mm - moved.rel_mm),
        root_depth_mm=np.exp(log_depth),
    )


def _corrected_log_depth(tracks: Tracks, coarse: Detections) -> Floats:
    """[P] of the coarse root, corrected as the last refinements did."""
    log_depth: Floats = np.log(np.maximum(coarse.root_depth_mm, 1.0))
    return log_depth + tracks.offset_depth


def fused(new: Detections, propagated: Detections, elapsed_s: Floats) -> Detections:
    """New estimates [P] averaged with the propagated ones; the lower a joint's confidence, the less the new one counts.

    A joint hidden now was often visible a moment ago, and the mean of two estimates jitters less.

    Args:
        new: [P] estimates of this frame.
        propagated: [P] estimates of earlier frames, moved to this one.
        elapsed_s: [P] since the frame before.
    """
    least_share = _follow_share(elapsed_s, FORGET_S)[:, None, None]
    share = np.maximum(NEW_SHARE * confidence_weight(new), least_share)
    return replace(
        new,
        joints_px=_mixed(propagated.joints_px, new.joints_px, share),
        rel_mm=_mixed(propagated.rel_mm, new.rel_mm, share),
    )


def _mixed(old: Floats, new: Floats, share: Floats) -> Floats:
    return old + share * (new - old)


def confidence_weight(detections: Detections) -> Floats:
    """[P, 25, 1] 0 to 1, the weight of each joint by its score."""
    weight: Floats = np.minimum(detections.joint_scores / FULL_CONFIDENCE, 1.0)
    return weight[..., None]


def _follow_share(elapsed_s: Floats, constant_s: float) -> Floats:
    """[P] of the way to the newer value, after some time, with a time constant."""
    share: Floats = -np.expm1(-elapsed_s / constant_s)
    return share


def deviation_mm(one: Detections, other: Detections) -> Floats:
    """[P] mean distance between the joints of two bodies, each relative to its root."""
    distance: Floats = np.linalg.norm(one.rel_mm - other.rel_mm, axis=-1).mean(1)
    return distance


def widened(detections: Detections, by_mm: Floats) -> Detections:
    """The detections [P] with their sigma widened by the expected distance [P] from what it was estimated for."""
    return replace(detections, sigma_mm=np.hypot(detections.sigma_mm, by_mm[:, None]))
