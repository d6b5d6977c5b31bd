"""Which systems are worth their time: those that no other beats at once in what they cost and in what they give."""

import numpy as np

from posecascade.models.arrays import Floats, Indices


def frontier(cost: Floats, gain: Floats) -> Indices:
    """Indices of the Pareto frontier, cheapest first; equals are all on it.

    Args:
        cost: [N] the less the better.
        gain: [N] the more the better; NaN is on no frontier.
    """
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(gain))
    as_good = (cost[known] <= cost[known, None]) & (
        gain[known] >= gain[known, None]
    )  # [one, other]
    better = (cost[known] < cost[known, None]) | (gain[known] > gain[known, None])
    best = known[~(as_good & better).any(1)]
    return np.asarray(best[np.lexsort((best, cost[best]))])
