"""The One-Euro filter by time stamps, vectorised: still things stand still, fast things do not lag.

Source: Casiez, Roussel & Vogel, "1 EUR Filter", CHI 2012. Departures: the cutoff follows the *length* of the velocity
rather than each coordinate's, so that a pose turned in space is smoothed the same; each point is trusted by itself, so
that what the model doubts is smoothed more; and slow motion counts as rest, because noise looks like speed too.
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Indices


@dataclass(frozen=True, slots=True)
class OneEuro:
    """The settings of one filter; U is the unit it thinks in, that of the values it is fed unless told otherwise."""

    min_cutoff_hz: float
    """Cutoff at rest: lower is steadier."""

    slope_hz_per_speed: float
    """How much the cutoff rises, in Hz for each U/s of speed: higher lags less."""

    rest_speed: float = 0.0
    """Speeds up to this, in U/s, are taken for trembling."""

    speed_cutoff_hz: float = 1.0
    """Cutoff of the speed itself."""

    def step(
        self, past: "Smoothed", values: Floats, elapsed_s: Floats, trust: Floats | float = 1.0,
        unit: Floats | float = 1.0,
    ) -> "Smoothed":
        """The filter one frame later.

        Args:
            values: [P, N, D]
            elapsed_s: [P] since `past`; infinite starts anew at `values`, zero or less keeps `past` as it was (a late
                frame says nothing about now).
            trust: factor on the minimum cutoff and divisor of the speed at rest, broadcast to [P, N]; 1 for a sharp
                value, towards 0 for a doubtful one.
            unit: what one U is in the values' own unit, broadcast to [P, N]: sizes of a body in pixels, say.
        """
        elapsed = np.maximum(elapsed_s, 0.0)[:, None]  # [P, 1]
        starting = np.isinf(elapsed)[..., None]  # [P, 1, 1]
        moved = np.where(starting, 0.0, values - np.where(starting, 0.0, past.values))
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = np.where(elapsed[..., None] > 0, moved / elapsed[..., None], 0.0)
        speed_weight = _weight(np.asarray(self.speed_cutoff_hz), elapsed)[..., None]  # [P, 1, 1]
        velocity = past.velocity + speed_weight * (measured - past.velocity)
        speed = np.linalg.norm(velocity, axis=-1) / unit  # [P, N]
        moving = np.maximum(speed - self.rest_speed / trust, 0.0)
        cutoff = self.min_cutoff_hz * trust + self.slope_hz_per_speed * moving
        weight = _weight(cutoff, elapsed)[..., None]
        return Smoothed(np.where(starting, values, past.values + weight * moved), velocity)


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """What a filter remembers, one row for each person."""

    values: Floats
    """[P, N, D] filtered."""

    velocity: Floats
    """[P, N, D] filtered, per second."""

    @classmethod
    def empty(cls, points: int, dimensions: int) -> "Smoothed":
        """Nobody yet."""
        return cls(np.zeros((0, points, dimensions)), np.zeros((0, points, dimensions)))

    def taken(self, rows: Indices) -> "Smoothed":
        """These rows, in this order; -1 is a row of zeros, to be started with an infinite elapsed time."""
        return Smoothed(*(_taken(column, rows) for column in (self.values, self.velocity)))


def _weight(cutoff_hz: Floats, elapsed_s: Floats) -> Floats:
    """Of the new value in an exponential average: 0 after no time, 1 after an infinite one."""
    phase = 2 * np.pi * cutoff_hz * elapsed_s
    return np.where(np.isinf(phase), 1.0, phase / (1 + np.where(np.isinf(phase), 0.0, phase)))


def _taken(column: Floats, rows: Indices) -> Floats:
    padded = np.concatenate([column, np.zeros_like(column, shape=(1, *column.shape[1:]))])
    return padded[rows]
