"""Kalman filter of people's roots, whose steps are in seconds and not in frames.

Velocity is an Ornstein-Uhlenbeck process. Over a few frames that is constant velocity; over a second or more people may
slow down, turn round or start to walk. So one set of gates serves cameras of one frame a second and of sixty.
"""

from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats, Indices

SPEED_MM_S = 1500.0
"""Prior standard deviation of the velocity along each axis: brisk walking."""

MEMORY_S = 2.0
"""Time constant with which a velocity decays."""

LATERAL_SHARE = 0.2
"""Share of the root's sigma that lies across the ray: a single camera errs along it."""

MIN_SIGMA_MM = 20.0
"""Least sigma of a root."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Roots and their velocities in camera space, one row for each track."""

    mean: Floats
    """[T, 6] position in mm, velocity in mm/s."""

    covariance: Floats
    """[T, 6, 6]"""

    @classmethod
    def starting(cls, roots_mm: Floats, sigma_mm: Floats) -> "Motion":
        """Of people seen for the first time, with roots [P, 3] and sigmas [P]."""
        mean = np.concatenate([roots_mm, np.zeros_like(roots_mm)], axis=1)
        covariance = np.zeros((len(mean), 6, 6))
        covariance[:, :3, :3] = root_covariance(roots_mm, sigma_mm)
        covariance[:, 3:, 3:] = SPEED_MM_S**2 * np.eye(3)
        return cls(mean, covariance)

    def taken(self, rows: Indices) -> "Motion":
        """These rows, in this order."""
        return Motion(self.mean[rows], self.covariance[rows])

    def followed_by(self, other: "Motion") -> "Motion":
        """The rows of both."""
        return Motion(
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.covariance, other.covariance]),
        )

    def replaced(self, rows: Indices, other: "Motion") -> "Motion":
        """With these rows taken from `other`, in its order."""
        mean = self.mean.copy()
        covariance = self.covariance.copy()
        mean[rows] = other.mean
        covariance[rows] = other.covariance
        return Motion(mean, covariance)

    def predicted(self, elapsed_s: Floats) -> "Motion":
        """After [T] seconds; a negative time counts as none."""
        step, noise = _transition(np.maximum(elapsed_s, 0.0))
        mean = np.einsum("tij,tj->ti", step, self.mean)
        return Motion(mean, step @ self.covariance @ step.transpose(0, 2, 1) + noise)

    def mahalanobis2(self, roots_mm: Floats, sigma_mm: Floats) -> tuple[Floats, Floats]:
        """Compares each root [P, 3], of sigma [P], with each track.

        Returns:
            mahalanobis2: [T, P] squared Mahalanobis distance, about 3 where they belong together.
            log_volume: [T, P] what to add to it for twice the negative log-density.
        """
        own = self.covariance[:, None, :3, :3]
        covariance = own + root_covariance(roots_mm, sigma_mm)  # [T, P, 3, 3]
        residual = roots_mm - self.mean[:, None, :3]  # [T, P, 3]
        whitened = np.linalg.solve(covariance, residual[..., None])[..., 0]
        squared: Floats = np.einsum("tpi,tpi->tp", residual, whitened)
        return squared, np.log(np.linalg.det(2 * np.pi * covariance))

    def corrected(self, roots_mm: Floats, sigma_mm: Floats) -> "Motion":
        """After each track's root was observed, with roots [T, 3] and sigmas [T]."""
        innovation = self.covariance[:, :3, :3] + root_covariance(roots_mm, sigma_mm)
        solved = np.linalg.solve(innovation, self.covariance[:, :3, :])
        gain = solved.transpose(0, 2, 1)  # [T, 6, 3]
        mean = self.mean + np.einsum("tij,tj->ti", gain, roots_mm - self.mean[:, :3])
        covariance = self.covariance - gain @ self.covariance[:, :3, :]
        return Motion(mean, (covariance + covariance.transpose(0, 2, 1)) / 2)

    @property
    def lateral_sigma_mm(self) -> Floats:
        """[T] sigma of the position along its most certain axis, which lies across the ray."""
        variance: Floats = np.linalg.eigvalsh(self.covariance[:, :3, :3])[:, 0]
        return np.sqrt(np.maximum(variance, 0.0))


def root_covariance(roots_mm: Floats, sigma_mm: Floats) -> Floats:
    """[P, 3, 3] of roots [P, 3] with sigmas [P], nearly all of it along the ray."""
    along = np.maximum(sigma_mm, MIN_SIGMA_MM)[:, None, None]
    across = LATERAL_SHARE * along
    ray: Floats = roots_mm / np.maximum(
        np.linalg.norm(roots_mm, axis=1, keepdims=True), 1.0
    )
    covariance: Floats = (
        across**2 * np.eye(3)
        + (along**2 - across**2) * ray[:, :, None] * ray[:, None, :]
    )
    return covariance


def _transition(elapsed_s: Floats) -> tuple[Floats, Floats]:
    """[T, 6, 6] step and noise of the integrated Ornstein-Uhlenbeck process (Gillespie 1996, equations 2.12)."""
    x = elapsed_s / MEMORY_S
    decay = np.exp(-x)
    loss = -np.expm1(-x)
    # The exact variance cancels to nothing below a millisecond: there the cubic of constant velocity takes over.
    travelled = np.where(x > 1e-3, 2 * x - 2 * loss - loss**2, 2 * x**3 / 3)
    noise = SPEED_MM_S**2 * _symmetric(
        MEMORY_S**2 * travelled, MEMORY_S * loss**2, loss * (1 + decay)
    )
    step = _symmetric(np.ones_like(x), MEMORY_S * loss, decay)
    step[:, 1, 0] = 0.0
    return _on_every_axis(step), _on_every_axis(noise)


def _on_every_axis(matrix: Floats) -> Floats:
    """[T, 6, 6] of one axis' position and velocity [T, 2, 2]."""
    blocks: Floats = np.einsum("tab,ij->taibj", matrix, np.eye(3))
    return blocks.reshape(-1, 6, 6)


def _symmetric(first: Floats, off_diagonal: Floats, last: Floats) -> Floats:
    """[T, 2, 2]"""
    upper = np.stack([first, off_diagonal], axis=-1)
    lower = np.stack([off_diagonal, last], axis=-1)
    return np.stack([upper, lower], axis=-2)
