"""How well a system knows its own error: the limb joints of everyone found, against the sigma stated for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.scoring.matching import LIMBS, height_px
from posecascade.models.lab.scoring.metrics import coverage, sigma_ratio, sparsification
from posecascade.models.lab.scoring.scoring import FrameScore, PersonScore, known_in_3d

PARTS: Final = (
    "small people",
    "large people",
    "visible joints",
    "hidden joints",
    "unmarked joints",
)
"""Small and large: below the folder's median box height, and not. Unmarked: true in 3D and outside the frame."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Calibration of the stated sigmas of some joints."""

    joints: int
    coverage: float
    """Share of errors within one sigma; `metrics.LAPLACE_COVERAGE` when calibrated."""
    ratio: float
    """RMS error over RMS sigma; above 1 is overconfident."""

    @classmethod
    def of(cls, errors_mm: Floats, sigma_mm: Floats) -> "Reliability":
        """Of [N] joints, N >= 1."""
        return cls(
            len(errors_mm),
            coverage(errors_mm, sigma_mm),
            sigma_ratio(errors_mm, sigma_mm),
        )


@dataclass(frozen=True, slots=True)
class SigmaFigures:
    """Calibration and ranking of the stated sigmas of one system on one folder."""

    everybody: Reliability
    parts: Mapping[str, Reliability]
    """By `PARTS`; only those of which somebody has a joint."""
    ause: float
    """Of joints, 0 is perfect; `ause_of_no_knowledge` is what a random ranking gets."""
    ause_of_no_knowledge: float
    ause_of_people: float
    """The same with a person's mean error ranked by their mean sigma: what a router sees."""


def sigma_figures(frames: Sequence[FrameScore]) -> SigmaFigures | None:
    """None where nobody with 3D truth was found with sigmas."""
    people = people_with_sigma(frames)
    if not people:
        return None
    errors, sigmas = _joined(people)
    of_joints = sparsification(errors, sigmas)
    of_people = sparsification(
        np.array([person.errors_mm.mean() for person in people]),
        np.array([person.sigma_mm.mean() for person in people]),
    )
    middle_px = float(
        np.median(
            [height_px(person.truth) for frame in frames for person in frame.people]
        )
    )
    return SigmaFigures(
        Reliability.of(errors, sigmas),
        _parts(people, middle_px),
        of_joints.ause,
        of_joints.ause_of_no_knowledge,
        of_people.ause,
    )


def people_with_sigma(frames: Sequence[FrameScore]) -> list[PersonScore]:
    """Everyone found in 3D with sigmas stated."""
    return [
        person
        for frame in frames
        for person in frame.people
        if person.found_in_3d and person.sigma_mm.size
    ]


def _joined(people: Sequence[PersonScore]) -> tuple[Floats, Floats]:
    """Errors and sigmas [N] of all of them, mm."""
    return (
        np.concatenate([person.errors_mm for person in people]),
        np.concatenate([person.sigma_mm for person in people]),
    )


def _parts(people: Sequence[PersonScore], middle_px: float) -> dict[str, Reliability]:
    errors, sigmas = _joined(people)
    small = np.concatenate(
        [
            np.full(len(person.errors_mm), height_px(person.truth) < middle_px)
            for person in people
        ]
    )
    seen = np.concatenate(
        [person.truth.seen[LIMBS][known_in_3d(person.truth)] for person in people]
    )
    masks = dict(
        zip(PARTS, (small, ~small, seen == 2, seen == 1, seen == 0), strict=True)
    )
    return {
        part: Reliability.of(errors[mask], sigmas[mask])
        for part, mask in masks.items()
        if mask.any()
    }
