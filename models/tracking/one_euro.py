"""One-Euro filter with timestamps, vectorised: little jitter at rest, little lag in fast motion.

Source: Casiez, Roussel & Vogel, "1 EUR Filter", CHI 2012. Departures: the cutoff follows the length of the velocity and
not each coordinate, so that the filter does not depend on the axes. Each point has a weight, so that uncertain points
are smoothed more. Slow motion counts as rest, because noise looks like speed.
"""

from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats, Indices


@dataclass(frozen=True, slots=True)
class OneEuro:
    """Settings of one filter. U is its unit of length: that of the values, unless `step` is given another."""

    min_cutoff_hz: float
    """Cutoff at rest: lower is steadier."""

    slope_hz_per_speed: float
    """How much the cutoff rises, in Hz for each U/s of speed: higher lags less."""

    rest_speed: float = 0.0
    """Speeds up to this, in U/s, count as jitter."""

    speed_cutoff_hz: float = 1.0
    """Cutoff of the speed itself."""

    def step(
        self,
        past: "Smoothed",
        values: Floats,
        elapsed_s: Floats,
        trust: Floats | float = 1.0,
        unit: Floats | float = 1.0,
    ) -> "Smoothed":
        """The filter one frame later.

        Args:
            past: the state one frame earlier.
            values: [P, N, D] to be filtered.
            elapsed_s: [P] since `past`. Infinite: starts anew at `values`. Zero or less: keeps `past`, because a late
                frame says nothing about now.
            trust: factor on the minimum cutoff and divisor of the rest speed, broadcast to [P, N]: 1 for a sharp value,
                towards 0 for an uncertain one.
            unit: one U in the unit of the values, broadcast to [P, N], such as body sizes in pixels.
        """
        elapsed = np.maximum(elapsed_s, 0.0)[:, None]  # [P, 1]
        starting = np.isinf(elapsed)[..., None]  # [P, 1, 1]
        moved = np.where(starting, 0.0, values - np.where(starting, 0.0, past.values))
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = np.where(elapsed[..., None] > 0, moved / elapsed[..., None], 0.0)
        speed_weight = _weight(np.asarray(self.speed_cutoff_hz), elapsed)  # [P, 1]
        change = measured - past.velocity
        velocity = past.velocity + speed_weight[..., None] * change
        speed = np.linalg.norm(velocity, axis=-1) / unit  # [P, N]
        moving = np.maximum(speed - self.rest_speed / trust, 0.0)
        cutoff = self.min_cutoff_hz * trust + self.slope_hz_per_speed * moving
        weight = _weight(cutoff, elapsed)[..., None]
        return Smoothed(
            np.where(starting, values, past.values + weight * moved), velocity
        )


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """State of a filter, one row a person."""

    values: Floats
    """[P, N, D] filtered."""

    velocity: Floats
    """[P, N, D] filtered, per second."""

    @classmethod
    def empty(cls, points: int, dimensions: int) -> "Smoothed":
        """No rows."""
        return cls(np.zeros((0, points, dimensions)), np.zeros((0, points, dimensions)))

    def taken(self, rows: Indices) -> "Smoothed":
        """These rows, in this order; -1 gives a row of zeros, to be started with an infinite elapsed time."""
        return Smoothed(
            *(_taken(column, rows) for column in (self.values, self.velocity))
        )


def _weight(cutoff_hz: Floats, elapsed_s: Floats) -> Floats:
    """Weight of the new value in an exponential average: 0 after no time, 1 after an infinite time."""
    phase = 2 * np.pi * cutoff_hz * elapsed_s
    is_infinite = np.isinf(phase)
    finite_phase = np.where(is_infinite, 0.0, phase)
    return np.where(is_infinite, 1.0, finite_phase / (1 + finite_phase))


def _taken(column: Floats, rows: Indices) -> Floats:
    zeros = np.zeros_like(column, shape=(1, *column.shape[1:]))
    return np.concatenate([column, zeros])[rows]
