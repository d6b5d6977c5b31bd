"""Refresh rules to compare the product's with, and one that samples for its fit; see `tracking.reuse.refresh`."""

import numpy as np

from posecascade.models.arrays import Floats, Mask
from posecascade.models.tracking.reuse.refresh import (
    RefreshCandidates,
    is_interval_over,
)


class FixedAlternation:
    """Refreshes everybody after a fixed number of frames."""

    def __init__(self, every: int) -> None:
        """
        Args:
            every: frames from one refresh to the next; 1 refreshes in each frame.
        """
        if every < 1:
            raise ValueError(f"every must be 1 or more, got {every}")
        self._every = every

    def needs_refresh(self, candidates: RefreshCandidates) -> Mask:
        """[P] whose estimate should be refreshed in this frame."""
        return np.asarray(candidates.frames >= self._every)


class RandomRefresh:
    """Refreshes each person with a fixed probability in each frame."""

    def __init__(self, probability: float, generator: np.random.Generator) -> None:
        """
        Args:
            probability: of a refresh.
            generator: of the draws, one a person and frame.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be 0..1, got {probability}")
        self._probability = probability
        self._generator = generator

    def needs_refresh(self, candidates: RefreshCandidates) -> Mask:
        """[P] whose estimate should be refreshed in this frame."""
        draws = self._generator.random(len(candidates.frames))
        return np.asarray(draws < self._probability)


class AdaptiveClock:
    """Refreshes each person when their adaptive interval is over.

    Intervals grow while propagated and fresh estimates agree. Beside the deviation model this saves no more and errs
    more after a cut (docs/routing.md).

    Source: Clockwork Convnets (arXiv 1608.03609), section 4.3, an adaptive clock.
    """

    def __init__(self, *, scaled: bool = False) -> None:
        """
        Args:
            scaled: the clock also runs faster or slower by the root of the expected error, where a deviation model is
                fitted. The interval tells how well a person propagated so far, the model what happens now.
        """
        self._scaled = scaled

    def needs_refresh(self, candidates: RefreshCandidates) -> Mask:
        """[P] whose estimate should be refreshed in this frame."""
        age_s = candidates.age_s
        if self._scaled and candidates.is_fitted:
            age_s = age_s * _rate(candidates)
        return is_interval_over(age_s, candidates.interval_s)


def _rate(candidates: RefreshCandidates) -> Floats:
    rate: Floats = np.sqrt(candidates.extra_mm / candidates.target_mm)
    return rate
