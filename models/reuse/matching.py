"""Who of the last frames is who in this one, before anybody is routed: by likeness in the picture alone.

Lighter than the identities of a stream, and apart from them: a mistake here costs a fresh look, not an identity.
"""

from typing import Final

import numpy as np

from models.arrays import Floats, Indices
from models.assignment import matched
from models.looks import sizes
from models.reuse.known import Known

SPREAD: Final = 0.15
"""Of a joint about where it is expected, in sizes of the body."""

LEAST: Final = 0.25
"""Likeness, 0 to 1, below which two poses are of two people."""

AHEAD_S: Final = 0.3
"""People are expected to go on moving as they did for this long at most."""


def expected_px(known: Known, px: Floats, time_s: float) -> Floats:
    """[K, 25, 2] poses `px` of the last frame's people, moved along to this time."""
    ahead = np.clip(time_s - known.seen_s, 0, AHEAD_S)[:, None]
    moved: Floats = px + (known.velocity_px_s * ahead)[:, None]
    return moved


def owners(known: Known, coarse_px: Floats, time_s: float) -> Indices:
    """[P] who of the K known people each coarse pose [P, 25, 2] is of; -1: nobody's."""
    owner = np.full(len(coarse_px), -1)
    if not len(known) or not len(coarse_px):
        return owner
    before = expected_px(known, known.coarse.joints_px, time_s)
    size = np.sqrt(sizes(before)[:, None] * sizes(coarse_px))  # [K, P]
    away2 = np.square(before[:, None] - coarse_px).sum(-1)  # [K, P, 25]
    likeness = np.exp(-away2 / (2 * np.square(SPREAD * size))[..., None]).mean(-1)
    near = likeness > LEAST
    if max(near.sum(0).max(), near.sum(1).max()) <= 1:  # who stands alone needs no assignment, which takes milliseconds
        rows, columns = np.nonzero(near)
    else:
        rows, columns = matched(1 - likeness, 1 - LEAST)
    owner[columns] = rows
    return owner
