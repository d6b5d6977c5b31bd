"""Where people's roots will be: a Kalman filter whose every step is in seconds, not in frames.

Velocities are an Ornstein-Uhlenbeck process: over a few frames that is constant velocity, over a second or more people
are expected to slow down, turn round, or have started to walk. So a camera of one frame a second needs no other gates
than one of sixty.
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Indices

SPEED_MM_S = 1500.0
"""Standard deviation of a velocity along each axis, of people of whom nothing is known: brisk walking."""

MEMORY_S = 2.0
"""Time after which a velocity has lost all but 1/e of itself."""

LATERAL_SHARE = 0.2
"""A single camera errs along the ray; across it only by this share of the root's sigma."""

SHARPEST_MM = 20.0
"""Roots are believed no better than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Roots and their velocities in camera space, one row for each track."""

    mean: Floats
    """[T, 6] position in mm, velocity in mm/s."""

    covariance: Floats
    """[T, 6, 6]"""

    @classmethod
    def starting(cls, roots_mm: Floats, sigma_mm: Floats) -> "Motion":
        """Of people just seen for the first time: [P, 3] and [P]."""
        mean = np.concatenate([roots_mm, np.zeros_like(roots_mm)], axis=1)
        covariance = np.zeros((len(mean), 6, 6))
        covariance[:, :3, :3] = root_covariance(roots_mm, sigma_mm)
        covariance[:, 3:, 3:] = SPEED_MM_S**2 * np.eye(3)
        return cls(mean, covariance)

    def taken(self, rows: Indices) -> "Motion":
        """These rows, in this order."""
        return Motion(self.mean[rows], self.covariance[rows])

    def followed_by(self, other: "Motion") -> "Motion":
        """Both, one under the other."""
        return Motion(np.concatenate([self.mean, other.mean]), np.concatenate([self.covariance, other.covariance]))

    def replaced(self, rows: Indices, other: "Motion") -> "Motion":
        """With these rows taken from `other`, in its order."""
        mean, covariance = self.mean.copy(), self.covariance.copy()
        mean[rows], covariance[rows] = other.mean, other.covariance
        return Motion(mean, covariance)

    def predicted(self, elapsed_s: Floats) -> "Motion":
        """After [T] seconds; a negative time counts as none."""
        step, noise = _transition(np.maximum(elapsed_s, 0.0))
        mean = np.einsum("tij,tj->ti", step, self.mean)
        return Motion(mean, step @ self.covariance @ step.transpose(0, 2, 1) + noise)

    def surprise(self, roots_mm: Floats, sigma_mm: Floats) -> tuple[Floats, Floats]:
        """Each root [P, 3] against each track: [T, P] squared Mahalanobis distance, about 3 where they belong together,
        and [T, P] what to add for twice the negative log-density."""
        spread = self.covariance[:, None, :3, :3] + root_covariance(roots_mm, sigma_mm)  # [T, P, 3, 3]
        away = roots_mm - self.mean[:, None, :3]  # [T, P, 3]
        squared: Floats = np.einsum("tpi,tpi->tp", away, np.linalg.solve(spread, away[..., None])[..., 0])
        return squared, np.log(np.linalg.det(2 * np.pi * spread))

    def corrected(self, roots_mm: Floats, sigma_mm: Floats) -> "Motion":
        """After each track's root was seen: [T, 3] and [T]."""
        spread = self.covariance[:, :3, :3] + root_covariance(roots_mm, sigma_mm)
        gain = np.linalg.solve(spread, self.covariance[:, :3, :]).transpose(0, 2, 1)  # [T, 6, 3]
        mean = self.mean + np.einsum("tij,tj->ti", gain, roots_mm - self.mean[:, :3])
        covariance = self.covariance - gain @ self.covariance[:, :3, :]
        return Motion(mean, (covariance + covariance.transpose(0, 2, 1)) / 2)

    @property
    def lateral_sigma_mm(self) -> Floats:
        """[T] one standard deviation of the position along its surest axis, which lies across the ray."""
        variance: Floats = np.linalg.eigvalsh(self.covariance[:, :3, :3])[:, 0]
        return np.sqrt(np.maximum(variance, 0.0))


def root_covariance(roots_mm: Floats, sigma_mm: Floats) -> Floats:
    """[P, 3, 3] of roots [P, 3] that err by `sigma_mm` [P] in all, nearly all of it along the ray."""
    along = np.maximum(sigma_mm, SHARPEST_MM)[:, None, None]
    across = LATERAL_SHARE * along
    ray: Floats = roots_mm / np.maximum(np.linalg.norm(roots_mm, axis=1, keepdims=True), 1.0)
    covariance: Floats = across**2 * np.eye(3) + (along**2 - across**2) * ray[:, :, None] * ray[:, None, :]
    return covariance


def _transition(elapsed_s: Floats) -> tuple[Floats, Floats]:
    """[T, 6, 6] step and noise of the integrated Ornstein-Uhlenbeck process (Gillespie 1996, equations 2.12)."""
    x = elapsed_s / MEMORY_S
    kept, lost = np.exp(-x), -np.expm1(-x)
    # The exact variance cancels to nothing below a millisecond: there the cubic of constant velocity takes over.
    travelled = np.where(x > 1e-3, 2 * x - 2 * lost - lost**2, 2 * x**3 / 3)
    noise = SPEED_MM_S**2 * _square(MEMORY_S**2 * travelled, MEMORY_S * lost**2, lost * (1 + kept))
    step = _square(np.ones_like(x), MEMORY_S * lost, kept)
    step[:, 1, 0] = 0.0
    return _on_every_axis(step), _on_every_axis(noise)


def _on_every_axis(matrix: Floats) -> Floats:
    """[T, 6, 6] of one axis' position and velocity [T, 2, 2]."""
    blocks: Floats = np.einsum("tab,ij->taibj", matrix, np.eye(3))
    return blocks.reshape(-1, 6, 6)


def _square(first: Floats, off: Floats, last: Floats) -> Floats:
    """[T, 2, 2] symmetric."""
    return np.stack([np.stack([first, off], axis=-1), np.stack([off, last], axis=-1)], axis=-2)
