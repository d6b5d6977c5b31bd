"""Distributions that scenes are drawn from."""

from collections.abc import Sequence

import numpy as np

from posecascade.models.arrays import Floats


def mixture(
    rng: np.random.Generator, count: int, parts: Sequence[tuple[float, float, float]]
) -> Floats:
    """[count] draws from a mixture of log-uniform ranges: rows of (weight, low, high)."""
    weight, low, high = (np.array(column) for column in zip(*parts, strict=True))
    part = rng.choice(len(parts), count, p=weight / weight.sum())
    return low[part] * (high[part] / low[part]) ** rng.random(count)
