"""Errors of poses and of the uncertainty they state: pure functions of arrays."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats

PCK3D_MM: Final = 150.0
PCK2D: Final = 0.1
"""Of the person's size."""
AUC_MM: Final = np.arange(0.0, 151.0, 5.0)
"""Thresholds of the area under the 3DPCK curve: 0 to 150 mm in steps of 5, as MPI-INF-3DHP's evaluation has it."""

LAPLACE_COVERAGE: Final = 0.672
"""Share of 3D errors below one sigma when the density falls with exp(-r / b): the distance is Gamma(3, b), sigma is
sqrt(12) b, and 1 - exp(-x)(1 + x + x^2 / 2) at x = sqrt(12) is 0.672. (A 3D Gaussian gives 0.608.)"""
LAPLACE_MEAN: Final = 0.75**0.5
"""Mean 3D error of that density, in sigmas: 3 b over sqrt(12) b."""


def distances(guess: Floats, truth: Floats) -> Floats:
    """[..., J] Euclidean distances of points [..., J, C]."""
    return np.asarray(np.linalg.norm(guess - truth, axis=-1))


def mpjpe(guess_mm: Floats, truth_mm: Floats) -> float:
    """Mean joint error of [J, 3], both relative to the same root."""
    return float(distances(guess_mm, truth_mm).mean())


def pa_mpjpe(guess_mm: Floats, truth_mm: Floats) -> float:
    """Mean joint error of [J, 3] after the best rotation, scale and shift."""
    return mpjpe(procrustes(guess_mm, truth_mm), truth_mm)


def procrustes(guess: Floats, truth: Floats) -> Floats:
    """`guess` [N, 3] moved onto `truth` [N, 3] by the similarity transform with the least squared error.

    Reflections are not allowed. Source: Umeyama, PAMI 1991.
    """
    centred = guess - guess.mean(0)
    target = truth - truth.mean(0)
    left, spread, right = np.linalg.svd(centred.T @ target)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    scale = (spread * sign).sum() / (centred**2).sum()
    return np.asarray(scale * centred @ (left * sign) @ right + truth.mean(0))


def pck(errors: Floats, threshold: float) -> float:
    """Share of `errors` [N] below `threshold`; missed joints come as inf or NaN and count as wrong."""
    return float((errors < threshold).mean())


def auc(errors_mm: Floats) -> float:
    """Mean of `pck` over `AUC_MM`, missed joints included."""
    return float((errors_mm[:, None] < AUC_MM).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Sparsification:
    """Mean error of what is left when the most doubtful joints are taken away first.

    Source: Ilg et al., Uncertainty estimates and multi-hypotheses networks for optical flow, ECCV 2018.
    """

    removed: Floats
    """[K] share taken away, 0 to below 1."""

    by_sigma: Floats
    """[K] mean error left, by stated sigma, relative to the mean of all."""

    by_error: Floats
    """[K] the same by the true error: the best that any sigma can do."""

    @property
    def ause(self) -> float:
        """Area between the curves: 0 ranks perfectly; no knowledge gives the area of 1 - `by_error`."""
        return float((self.by_sigma - self.by_error).mean())

    @property
    def ause_of_no_knowledge(self) -> float:
        return float((1 - self.by_error).mean())


def sparsification(errors: Floats, sigma: Floats, steps: int = 50) -> Sparsification:
    """Curves of `errors` [N] ranked by `sigma` [N], N >= 1."""
    removed = np.arange(steps) / steps
    first = (removed * len(errors)).astype(np.intp)

    def left(order: Floats) -> Floats:
        ranked = errors[np.argsort(-order, kind="stable")]
        tails = np.cumsum(ranked[::-1])[::-1] / np.arange(len(ranked), 0, -1)
        return np.asarray(tails[first] / max(errors.mean(), 1e-9))

    return Sparsification(removed, left(sigma), left(errors))


def coverage(errors: Floats, sigma: Floats) -> float:
    """Share of `errors` [N] within one stated `sigma` [N]; `LAPLACE_COVERAGE` when calibrated."""
    return float((errors <= sigma).mean())


def sigma_ratio(errors: Floats, sigma: Floats) -> float:
    """Root mean square error over root mean square sigma: 1 when calibrated, above when overconfident."""
    return float(np.sqrt((errors**2).mean() / (sigma**2).mean()))
