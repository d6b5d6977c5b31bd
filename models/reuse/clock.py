"""Each person's clock for the deep stages.

Source: Clockwork Convnets (arXiv 1608.03609), section 4.3: the deep layers of a network keep their own time, and an
adaptive clock fires when what it would have missed is large.
"""

from typing import Final

import numpy as np

from models.arrays import Floats

UNTRIED_S: Final = 0.0
"""Interval of whoever has had a single deep look: the next frame brings another one, for a pose that is carried for
long should not hang on one look, and what it is off by is then known."""

FIRST_S: Final = 0.15
"""Interval that the second look is reckoned from."""

SHORTEST_S: Final = 0.04
LONGEST_S: Final = 1.0
SLOWER: Final = 1.5
FASTER: Final = 0.5
"""Most that a single comparison changes an interval by."""


def adapted(interval_s: Floats, extra_mm: Floats, target_mm: float) -> Floats:
    """[P] intervals after carried and fresh poses were compared: longer where carrying cost less than the target."""
    factor = np.clip(target_mm / np.maximum(extra_mm, 1e-3), FASTER, SLOWER)
    tried = np.where(interval_s == UNTRIED_S, FIRST_S, interval_s)
    longer: Floats = np.clip(tried * factor, SHORTEST_S, LONGEST_S)
    return longer
