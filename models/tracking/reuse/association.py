"""Association of a frame's people with the tracks of the frame before, by their joints in the image, and cuts.

It runs before routing, on coarse poses alone. It is lighter than the tracker that gives the ids: a mistake here costs a
refresh, not an identity.
"""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Image, Indices
from posecascade.models.assignment import matched
from posecascade.models.keypoints import box_scales
from posecascade.models.tracking.reuse.tracks import Tracks

OKS_SPREAD: Final = 0.15
"""Standard deviation of a joint about its expected place, in body sizes; one for all joints."""

MIN_OKS: Final = 0.25
"""OKS below which two poses are of two people."""

MAX_EXTRAPOLATION_S: Final = 0.3
"""Longest time for which people are expected to keep their velocity."""

MIN_CORRELATION: Final = 0.5
"""Correlation of two thumbnails below which a cut lies between them. Frames of one shot have 0.95 and more, and a pan
lowers it slowly. A change of brightness does not matter."""

MIN_CONTRAST: Final = 1.0
"""Standard deviation, in grey levels, below which a thumbnail is too flat to tell scenes apart."""

_CELLS_HW: Final = (9, 16)
_SAMPLES: Final = 6
"""Pixels read along each side of a cell."""


def expected_px(tracks: Tracks, joints_px: Floats, time_s: float) -> Floats:
    """[K, 25, 2] poses of the last frame, moved on to this time at the velocity of their tracks."""
    ahead_s = np.clip(time_s - tracks.seen_s, 0, MAX_EXTRAPOLATION_S)[:, None]
    moved: Floats = joints_px + (tracks.velocity_px_s * ahead_s)[:, None]
    return moved


def associate(tracks: Tracks, coarse_px: Floats, time_s: float) -> Indices:
    """[P] the track of each coarse pose [P, 25, 2], as a row of `tracks`; -1: none of them."""
    track_index = np.full(len(coarse_px), -1)
    if not len(tracks) or not len(coarse_px):
        return track_index
    oks = _oks(expected_px(tracks, tracks.coarse.joints_px, time_s), coarse_px)
    is_near = oks > MIN_OKS  # [K, P]
    is_ambiguous = max(is_near.sum(0).max(), is_near.sum(1).max()) > 1
    if is_ambiguous:
        rows, columns = matched(1 - oks, 1 - MIN_OKS)
    else:  # saves milliseconds
        rows, columns = np.nonzero(is_near)
    track_index[columns] = rows
    return track_index


def _oks(tracks_px: Floats, coarse_px: Floats) -> Floats:
    """[K, P] object keypoint similarity of poses [K, 25, 2] and [P, 25, 2]."""
    size_px = np.sqrt(box_scales(tracks_px)[:, None] * box_scales(coarse_px))  # [K, P]
    distance2 = np.square(tracks_px[:, None] - coarse_px).sum(-1)  # [K, P, 25]
    variance = np.square(OKS_SPREAD * size_px)
    oks: Floats = np.exp(-distance2 / (2 * variance)[..., None]).mean(-1)
    return oks


def thumbnail(image_bgr: Image) -> Floats:
    """[9, 16] mean grey levels of an image [H, W, 3]. Its cost does not depend on the image's size."""
    rows, columns = (
        np.linspace(0, side - 1, cells * _SAMPLES).round().astype(int)
        for side, cells in zip(image_bgr.shape[:2], _CELLS_HW, strict=True)
    )
    grey = image_bgr[rows[:, None], columns].mean(-1)  # [54, 96]
    cells = grey.reshape(_CELLS_HW[0], _SAMPLES, _CELLS_HW[1], _SAMPLES)
    mean: Floats = cells.mean((1, 3))
    return mean


def is_cut(before: Floats, now: Floats) -> bool:
    """Whether a cut lies between two thumbnails; False where one of them is too flat to tell."""
    centred_before = before - before.mean()
    centred_now = now - now.mean()
    contrast_before = centred_before.std()
    contrast_now = centred_now.std()
    if min(contrast_before, contrast_now) < MIN_CONTRAST:
        return False
    covariance = (centred_before * centred_now).mean()
    return bool(covariance < MIN_CORRELATION * contrast_before * contrast_now)
