"""One system on one frame: every labelled person's errors, and the detections that stand for nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Mask
from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.average_precision import Detections, judge
from posecascade.models.lab.scoring.matching import HIPS, LIMBS, limbs_px, match
from posecascade.models.lab.scoring.metrics import distances, procrustes

LEAST_MARKED_3D: Final = 8
"""Limb joints with 3D truth, both hips among them, that a person needs to count in 3D."""


@dataclass(frozen=True, slots=True, eq=False)
class PersonScore:
    """One labelled person under one system."""

    truth: LabelledPerson

    errors_2d: Floats
    """[M] of the marked limb joints, relative to the person's size; inf where missed."""

    errors_mm: Floats
    """[K] of the limb joints with 3D truth, relative to the mid-hip; inf where missed or 2D only; empty: no truth."""

    pa_errors_mm: Floats
    """[K] after Procrustes; inf where missed."""

    sigma_mm: Floats
    """[K] as stated by the system; empty where it states none."""

    root_error_mm: float
    """Of the mid-hip in camera space; NaN where unknown."""

    guess: int
    """Index of the detection that found them, -1 where missed."""

    @property
    def found(self) -> bool:
        return self.guess >= 0

    @property
    def root_distance_mm(self) -> float:
        """Of the true mid-hip from the camera; NaN where unknown."""
        return float(np.linalg.norm(true_root_mm(self.truth)))

    @property
    def found_in_3d(self) -> bool:
        return bool(self.errors_mm.size and np.isfinite(self.errors_mm).all())


@dataclass(frozen=True, slots=True, eq=False)
class FrameScore:
    """One frame under one system."""

    people: tuple[PersonScore, ...]
    false_people: int
    detections: Detections | None
    """For average precision; None where the frame does not lend itself to it."""

    cpu_ms: float = np.nan
    wall_ms: float = np.nan

    def timed(self, *, cpu_ms: float, wall_ms: float) -> "FrameScore":
        return replace(self, cpu_ms=cpu_ms, wall_ms=wall_ms)


def score_frame(frame: LabelledFrame, guesses: Sequence[Guess]) -> FrameScore:
    """Matches and measures; the protocol is in `matching`."""
    matches = match(frame, guesses)
    people = tuple(
        _score_person(
            person, size, guesses[partner] if partner >= 0 else None, int(partner)
        )
        for person, size, partner in zip(
            matches.people, matches.sizes_px, matches.found_by, strict=True
        )
    )
    detections = (
        judge(frame, guesses) if frame.coco17 and frame.everyone_labelled else None
    )
    return FrameScore(people, int(matches.false.sum()), detections)


def _score_person(
    person: LabelledPerson, size_px: float, guess: Guess | None, partner: int
) -> PersonScore:
    known = known_in_3d(person)
    missed_mm = np.full(known.sum(), np.inf)
    missed = PersonScore(
        person,
        _errors_2d(person, size_px, guess),
        missed_mm,
        missed_mm,
        np.empty(0),
        np.nan,
        partner,
    )
    if guess is None or guess.joints_rel_mm is None or not known.any():
        return missed
    truth_mm = person.joints_mm[LIMBS]
    said_mm = guess.joints_rel_mm[LIMBS]
    root_mm = true_root_mm(person)
    truth = (truth_mm - root_mm)[known]
    predicted = (said_mm - said_mm[HIPS].mean(0))[known]
    return replace(
        missed,
        errors_mm=distances(predicted, truth),
        pa_errors_mm=distances(procrustes(predicted, truth), truth),
        sigma_mm=np.empty(0)
        if guess.sigma_mm is None
        else np.asarray(guess.sigma_mm[LIMBS][known], np.float64),
        root_error_mm=np.nan
        if guess.root_mm is None
        else float(np.linalg.norm(guess.root_mm - root_mm)),
    )


def _errors_2d(person: LabelledPerson, size_px: float, guess: Guess | None) -> Floats:
    """[M] of the marked limb joints, inf where the guess lacks one."""
    truth_px = limbs_px(person)
    marked = np.isfinite(truth_px[:, 0])
    if guess is None:
        return np.full(marked.sum(), np.inf)
    off = distances(guess.joints_px[LIMBS][marked], truth_px[marked]) / size_px
    return np.where(np.isnan(off), np.inf, off)


def true_root_mm(person: LabelledPerson) -> Floats:
    """[3] the mid-hip in camera space; NaN unless both hips are known."""
    return np.asarray(person.joints_mm[LIMBS][HIPS].mean(0))


def known_in_3d(person: LabelledPerson) -> Mask:
    """[12] limb joints that count in 3D: none unless both hips and `LEAST_MARKED_3D` are known."""
    known = np.isfinite(person.joints_mm[LIMBS][:, 0])
    counts = known[HIPS].all() and known.sum() >= LEAST_MARKED_3D
    return known if counts else np.zeros_like(known)
