"""What a deep look is worth in a stream, so that looks go where they pay: to people, and to joints that can be seen."""

from typing import Final

import numpy as np

from models.arrays import Floats, Indices
from models.looks import Looks
from models.reuse.carrying import extra_mm

SERVES: Final = 4
"""Frames that a deep look serves, more or less: makes what it saves over all of them comparable with what one removes
from a single frame."""

FIRST_MM: Final = 50.0
"""That a first deep look saves in a frame: it removes 25 mm, of real and rendered people alike (docs/results.md), and
the looks after it rest on it. With 25 mm too many who are half hidden in crowds were left to `coarse`."""

UNSETTLED: Final = 0.6
"""By how much more carrying costs after a single look, as a share; after n looks by the n-th part of it. A first
correction is as noisy as both of the looks that it is between. On 110 rendered training films a look that has been
carried for a tenth of a second costs 1.5 of what is expected after one look, 1.4 after two, 1.1 after three or four and
1.0 after more (a trial script)."""


def chance(coarse: Looks) -> Floats:
    """[P] 0 to 1, that a look at these people is one at somebody, and at joints in view.

    Where `coarse` found nobody, or a joint is hidden, a fresh deep look is far from the carried one and no better. On
    7719 looks of rendered training films what carrying truly cost goes with the expected cost times the score to the
    power of 1.0 and the mean joint score to that of 1.4 (least squares, a trial script).
    """
    said: Floats = np.nan_to_num(np.clip(coarse.score * coarse.joint_scores.mean(1), 0.0, 1.0), nan=1.0)
    return said


def carrying_mm(deviation_mm: Floats, kept: Looks, chance: Floats, looks: Indices) -> Floats:
    """[P] error that carrying adds to a frame.

    Args:
        deviation_mm: [P] expected distance of the carried looks `kept` [P] from fresh ones.
        chance: [P], see above.
        looks: [P] deep looks that the carried one rests on.
    """
    cost: Floats = chance * extra_mm(deviation_mm, kept) * (1 + UNSETTLED / np.maximum(looks, 1))
    return cost


def first_mm(chance: Floats) -> Floats:
    """[P] what a first deep look saves, summed over the frames that it serves."""
    return SERVES * FIRST_MM * chance
