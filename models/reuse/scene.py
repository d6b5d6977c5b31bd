"""Whether two frames of a stream show the same scene."""

from typing import Final

import numpy as np

from models.arrays import Floats, Image

ALIKE: Final = 0.5
"""Correlation of two glimpses below which the scene is another one: frames of one shot have 0.95 and more, a camera
that swings round falls slowly. It does not see brightness change."""

FLAT: Final = 1.0
"""Grey levels by which a glimpse must vary to tell scenes apart."""

_CELLS_HW: Final = (9, 16)
_SAMPLES: Final = 6
"""Pixels of a cell along each side that are looked at."""


def glimpse(image_bgr: Image) -> Floats:
    """[9, 16] mean grey levels of a picture [H, W, 3] of any size: cheap, for few pixels are read."""
    rows, columns = (np.linspace(0, side - 1, cells * _SAMPLES).round().astype(int)
                     for side, cells in zip(image_bgr.shape[:2], _CELLS_HW, strict=True))
    grey = image_bgr[rows[:, None], columns].mean(-1)  # [54, 96]
    cells = grey.reshape(_CELLS_HW[0], _SAMPLES, _CELLS_HW[1], _SAMPLES)
    mean: Floats = cells.mean((1, 3))
    return mean


def is_cut(before: Floats, now: Floats) -> bool:
    """Whether a cut lies between two glimpses; False where one of them is too flat to say."""
    one, other = before - before.mean(), now - now.mean()
    spread = one.std(), other.std()
    return bool(min(spread) >= FLAT and (one * other).mean() < ALIKE * spread[0] * spread[1])
