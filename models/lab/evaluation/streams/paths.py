"""Where everybody's joints are through a film: by the truth, and by a system that was matched to it frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.films import Film
from posecascade.models.lab.scoring.matching import HIPS, LIMBS, limbs_px, match
from posecascade.models.lab.scoring.scoring import known_in_3d, true_root_mm

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Sighting:
    """One person of one frame as a system reports them, and who it says they are."""

    guess: Guess
    id: int | None = None
    """None: the system does not say who is who."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """P labelled people through T frames, the 12 limb joints of `matching`; NaN where a person is not there, not found,
    or the joint is unknown."""

    joints_mm: Floats
    """[P, T, 12, 3] relative to the mid-hip, camera axes."""

    joints_px: Floats
    """[P, T, 12, 2] image space."""

    root_mm: Floats
    """[P, T, 3] mid-hip in camera space."""

    there: Mask
    """[P, T] for the truth: the person counts; for a system: it found them."""

    ids: Indices
    """[P, T] who the person is by the system, `NOBODY` where it does not say."""

    @classmethod
    def unknown(cls, people: int, frames: int) -> "Paths":
        """Nobody anywhere, to be filled in."""
        shape = people, frames
        return cls(
            np.full((*shape, len(LIMBS), 3), np.nan),
            np.full((*shape, len(LIMBS), 2), np.nan),
            np.full((*shape, 3), np.nan),
            np.zeros(shape, np.bool_),
            np.full(shape, NOBODY),
        )


def true_paths(film: Film) -> Paths:
    """Of everyone who counts in some frame of the film, where they count."""
    paths = Paths.unknown(len(film.ids), len(film.frames))
    for time, frame in enumerate(film.frames):
        for person in match(frame, ()).people:
            row = film.ids.index(_id(person.id))
            known = known_in_3d(person)
            root = true_root_mm(person)
            paths.joints_mm[row, time, known] = (person.joints_mm[LIMBS] - root)[known]
            paths.joints_px[row, time] = limbs_px(person)
            paths.root_mm[row, time] = root
            paths.there[row, time] = True
            paths.ids[row, time] = _id(person.id)
    return paths


def said_paths(film: Film, predicted: Sequence[Sequence[Sighting]]) -> Paths:
    """What a system says of those people, frame by frame; the protocol of `matching` says who is who's.

    Args:
        predicted: [T] the system's people in each frame.
    """
    paths = Paths.unknown(len(film.ids), len(film.frames))
    for time, (frame, sightings) in enumerate(zip(film.frames, predicted, strict=True)):
        matches = match(frame, [sighting.guess for sighting in sightings])
        for person, partner in zip(matches.people, matches.found_by, strict=True):
            if partner >= 0:
                _put(paths, film.ids.index(_id(person.id)), time, sightings[partner])
    return paths


def _put(paths: Paths, row: int, time: int, sighting: Sighting) -> None:
    guess = sighting.guess
    if guess.joints_rel_mm is not None:
        limbs = guess.joints_rel_mm[LIMBS]
        paths.joints_mm[row, time] = limbs - limbs[HIPS].mean(0)
    if guess.root_mm is not None:
        paths.root_mm[row, time] = guess.root_mm
    paths.joints_px[row, time] = guess.joints_px[LIMBS]
    paths.there[row, time] = True
    paths.ids[row, time] = NOBODY if sighting.id is None else sighting.id


def _id(group: int | None) -> int:
    """`read_film` has seen to it that everybody has one."""
    if group is None:
        raise ValueError(
            "want a person with an id, got one without: read the film with read_film"
        )
    return group


def missed_between(paths: Paths, truth: Paths) -> int:
    """Gaps: how often someone who is there all the while is found, missed for some frames, and found again."""
    gaps = 0
    for found, there in zip(paths.there, truth.there, strict=True):
        before = False  # found, and nothing but misses since
        missed = False
        for seen, counts in zip(found, there, strict=True):
            gaps += bool(counts and seen and before and missed)
            before = bool(counts and (seen or before))
            missed = bool(before and not seen)
    return gaps


def id_switches(paths: Paths) -> int:
    """How often a person comes by another id than they had when last found (IDSW of CLEAR MOT; Bernardin &
    Stiefelhagen, Evaluating Multiple Object Tracking Performance, 2008)."""
    known = [row[row != NOBODY] for row in paths.ids]
    return int(sum((np.diff(row) != 0).sum() for row in known))
