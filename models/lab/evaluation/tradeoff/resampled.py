"""Ratios over people with bootstrap intervals over the films, moments or pictures that they are in."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.scoring.figures import Figure

UNKNOWN: Final = Figure(np.nan, np.nan, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Draws of U units with replacement, the same for every figure, so that differences pair."""

    unit: Indices
    """[N] of each person."""
    times: Floats
    """[B, U] how often each draw has each unit."""

    @staticmethod
    def of(unit: Indices, rounds: int, seed: int = 0) -> "Resampled":
        """Args: unit [N] 0..U-1, every one of them taken."""
        count = int(unit.max(initial=-1)) + 1
        if not count:
            return Resampled(unit, np.zeros((rounds, 0)))
        drawn = np.random.default_rng(seed).multinomial(
            count, np.full(count, 1 / count), rounds
        )
        return Resampled(unit, drawn.astype(float))

    def ratio(self, over: Floats, under: Floats | None = None) -> Figure:
        """Sum of `over` [N] by sum of `under` [N] (one each where there is none), with its 95 % interval."""
        sums = self._sums(over)
        total = self._sums(np.ones(len(self.unit)) if under is None else under)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = sums.sum() / total.sum()
            drawn = (self.times @ sums) / (self.times @ total)
        known = drawn[np.isfinite(drawn)]
        if not known.size or not np.isfinite(value):
            return UNKNOWN
        low, high = np.percentile(known, [2.5, 97.5])
        return Figure(float(value), float(low), float(high))

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.unit, values, self.times.shape[1]))
