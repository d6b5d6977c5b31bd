"""Settings of reuse."""

import math
from dataclasses import dataclass
from typing import Final

TARGET_MM: Final = 10.0
"""Error that a refresh must be expected to save, in mm summed over the frames until the next refresh. Applies where
neither the caller nor the fitted parameters set a target."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """What a memory does with earlier estimates. The evaluation switches parts off, to measure each alone.

    When a person is refreshed is not set here: see `refresh.RefreshRule`.
    """

    propagate: bool = True
    """The refined body follows the coarse motion (Deep Feature Flow, arXiv 1611.07715, where flow moves features).
    False: the body stays as it was refined, and only its place in the image and in depth follows."""
    fuse: bool = True
    """A new estimate is averaged with the propagated one, joint by joint. False: it stands alone."""
    target_mm: float = TARGET_MM
    """Used where neither the caller nor the fitted parameters set a target."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.target_mm) and self.target_mm > 0):
            raise ValueError(f"target_mm must be > 0 and finite, got {self.target_mm}")
