"""How well a system knows its own error: the limb joints of everyone found, against the sigma stated for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.evaluation.metrics import coverage, sigma_ratio, sparsification
from models.evaluation.scoring import FrameScore, PersonScore


@dataclass(frozen=True, slots=True)
class SigmaFigures:
    """Calibration and ranking of the stated sigmas of one system on one folder."""

    joints: int
    coverage: float
    """Share of errors within one sigma; `metrics.LAPLACE_COVERAGE` when calibrated."""
    ratio: float
    """RMS error over RMS sigma; above 1 is overconfident."""
    ause: float
    """Of joints, 0 is perfect; `ause_of_no_knowledge` is what a random ranking gets."""
    ause_of_no_knowledge: float
    ause_of_people: float
    """The same with a person's mean error ranked by their mean sigma: what a router sees."""


def sigma_figures(frames: Sequence[FrameScore]) -> SigmaFigures | None:
    """None where nobody with 3D truth was found with sigmas."""
    people = told(frames)
    if not people:
        return None
    errors = np.concatenate([person.errors_mm for person in people])
    sigmas = np.concatenate([person.sigma_mm for person in people])
    of_joints = sparsification(errors, sigmas)
    of_people = sparsification(np.array([person.errors_mm.mean() for person in people]),
                               np.array([person.sigma_mm.mean() for person in people]))
    return SigmaFigures(len(errors), coverage(errors, sigmas), sigma_ratio(errors, sigmas), of_joints.ause,
                        of_joints.ause_of_no_knowledge, of_people.ause)


def told(frames: Sequence[FrameScore]) -> list[PersonScore]:
    """Everyone found in 3D with sigmas stated."""
    return [person for frame in frames for person in frame.people if person.found_in_3d and person.sigma_mm.size]
