"""Whether a body has turned so far that what was true of its other side no longer helps."""

from typing import Final

import numpy as np

from models.arrays import Floats, Mask
from models.skeleton import JOINT_NAMES

TURN_DEG: Final = 60.0
"""Since the deep look. The coarse sides of a still body swing by half of that."""

_LEFT, _RIGHT = ([JOINT_NAMES.index(f"{side}_{part}") for part in ("shoulder", "hip")] for side in ("left", "right"))


def turned(before_mm: Floats, now_mm: Floats) -> Mask:
    """[P] whether the line from right to left, through shoulders and hips, of bodies [P, 25, 3] has swung by more than
    `TURN_DEG`; False where it points nowhere."""
    one, other = (body[:, _LEFT].mean(1) - body[:, _RIGHT].mean(1) for body in (before_mm, now_mm))
    length = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(1) < np.cos(np.radians(TURN_DEG)) * length)
