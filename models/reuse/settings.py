"""How a stream reuses deep looks: each published idea can be switched on alone."""

import math
from dataclasses import dataclass
from typing import Final

TARGET_MM: Final = 10.0
"""What a deep look must be expected to save where nobody says otherwise: mm of error, summed over the frames until the
next one."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """Settings of a memory. Whoever has no deep look yet, or lost it to a cut or a turn, is always asked afresh."""

    clock: bool = False
    """Each person has a clock for the deep stages, which slows down while carried and fresh poses agree (Clockwork
    Convnets, arXiv 1608.03609, section 4.3: an adaptive clock). Off as it ships: beside the regressor it saves no more
    and errs more after a cut (docs/routing.md)."""
    carry: bool = True
    """The deep-minus-coarse correction moves along with the coarse pose (Deep Feature Flow, arXiv 1611.07715, where
    flow moves features); False: the last deep body is held as it was."""
    decide: bool = True
    """A regressor says how far the carried pose is from a fresh one, and a look is due where the error that this adds,
    summed over frames, makes it worth the target (DVSNet, arXiv 1804.00931, whose target bounds a single frame's).
    Without fitted parameters the clock stands in for it."""
    weigh: bool = True
    """A fresh look is weighed against what was answered before, joint by joint; False: it stands for itself."""
    target_mm: float = TARGET_MM
    """Of the clock and the regressor, where neither the caller nor the fitted parameters say one."""
    every: int | None = None
    """A look is due on each n-th frame: fixed alternation, to compare with."""
    coin: float | None = None
    """A look is due with this probability in each frame, to compare with."""
    seed: int = 0
    """Of the coin."""

    def __post_init__(self) -> None:
        if not (self.clock or self.decide or self.every is not None or self.coin is not None):
            raise ValueError("nothing says when a look is due: want clock, decide, every or coin")
        if not (math.isfinite(self.target_mm) and self.target_mm > 0):
            raise ValueError(f"target_mm must be > 0 and finite, got {self.target_mm}")
        if self.every is not None and self.every < 1:
            raise ValueError(f"every must be 1 or more, got {self.every}")
        if self.coin is not None and not 0 <= self.coin <= 1:
            raise ValueError(f"coin must be a probability, got {self.coin}")
