"""Draws what the camera does to the picture: blur, noise, tone, resolution, coding."""

from collections.abc import Callable
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Mask
from posecascade.models.lab.rendering.scene import Lens

CLEAN: Final = 0.15
"""Share of the frames that stay untouched."""

_SCALES: Final = (0.75, 0.5, 0.35, 0.25)
_SCALE_SHARES: Final = (0.35, 0.35, 0.2, 0.1)


def draw_lens(rng: np.random.Generator, count: int) -> Lens:
    """Lenses of `count` scenes. The generator is asked in this order: equal seeds give equal pictures."""
    dirty = rng.random(count) >= CLEAN
    some = _sometimes(rng, dirty)
    return Lens(
        motion=some(0.22, 1.5, 9, 0),
        angle_rad=rng.uniform(0, np.pi, count),
        people_only=rng.random(count) < 0.5,
        defocus=some(0.2, 0.3, 1.8, 0),
        shot=some(0.7, 0, 0.03, 0),
        read=some(0.7, 0.002, 0.02, 0),
        chroma=some(0.4, 0.2, 1.0, 0),
        gamma=some(0.6, 0.75, 1.35, 1),
        white_balance=1 + rng.normal(0, 0.06, (count, 3)) * dirty[:, None],
        saturation=np.where(_chosen(rng, dirty, 0.05), 0, some(0.5, 0.5, 1.35, 1)),
        scale=np.where(
            _chosen(rng, dirty, 0.3), rng.choice(_SCALES, count, p=_SCALE_SHARES), 1
        ),
        jpeg=some(0.65, 18, 95, 100),
    )


def _chosen(rng: np.random.Generator, dirty: Mask, chance: float) -> Mask:
    return (rng.random(len(dirty)) < chance) & dirty


def _sometimes(
    rng: np.random.Generator, dirty: Mask
) -> Callable[[float, float, float, float], Floats]:
    def some(chance: float, low: float, high: float, otherwise: float) -> Floats:
        return np.where(
            _chosen(rng, dirty, chance), rng.uniform(low, high, len(dirty)), otherwise
        )

    return some
