"""Sheets of people to look at: where a system errs most, and, to know how it mostly does, people drawn by chance.

A tile is one labelled person: left limbs orange, right limbs blue, the truth thin and white over them; below, the
picture's name, the person's mean error over the limb joints (mm, or where there is no 3D truth the share of the
person's size), and the mean error that the system itself expects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.crops import Window, cut
from posecascade.models.drawing import write
from posecascade.models.lab.datasets.labelled import LabelledFolder, LabelledFrame
from posecascade.models.lab.evaluation.contact_sheet import (
    bones,
    completed,
    save_jpeg,
    side_colour,
    white,
)
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.lab.scoring.metrics import LAPLACE_MEAN
from posecascade.models.lab.scoring.run import Run
from posecascade.models.lab.scoring.scoring import PersonScore

TILE_PX: Final = 220
CAPTION_PX: Final = 36
COLUMNS: Final = 6
ROOM: Final = 1.5
"""Side of a tile's square over the longer side of the labelled box."""
MISSED_AT_MOST: Final = 0.5
"""Of a sheet of the worst: somebody missed shows little, and there may be more of them than tiles."""

_SMALLEST_PX: Final = 24.0
"""Side of a tile's square in the picture, at least."""
_TEXT: Final = 0.38


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One labelled person under one system."""

    folder: str
    frame: LabelledFrame
    score: PersonScore
    guess: Guess | None
    """None: missed."""

    @property
    def in_3d(self) -> bool:
        return self.score.errors_mm.size > 0

    @property
    def error(self) -> float:
        """Mean over the limb joints, in mm where there is 3D truth, else in sizes of the person; inf where missed."""
        return float(
            (self.score.errors_mm if self.in_3d else self.score.errors_2d).mean()
        )

    @property
    def expected_mm(self) -> float:
        """What the system expects of the same mean; NaN where it does not say."""
        if self.guess is None or self.guess.sigma_mm is None:
            return np.nan
        return LAPLACE_MEAN * float(self.guess.sigma_mm[LIMBS].mean())

    @property
    def caption(self) -> tuple[str, str]:
        """Whose tile it is, and how it went."""
        name = f"{self.folder}/{self.frame.path.name}"
        if self.guess is None:
            return name, "missed"
        predicted = (
            ""
            if np.isnan(self.expected_mm)
            else f", expected {self.expected_mm:.0f} mm"
        )
        return name, (
            f"{self.error:.0f} mm" if self.in_3d else f"{self.error:.2f} of size"
        ) + predicted


def sightings(folder: LabelledFolder, run: Run) -> list[Sighting]:
    """Everybody who counts in a folder, frame by frame: in the same order for every system."""
    return [
        Sighting(
            folder.name, frame, score, guesses[score.guess] if score.found else None
        )
        for frame, scored, guesses in zip(
            folder.frames, run.scores, run.guesses, strict=True
        )
        for score in scored.people
    ]


def worst(
    people: Sequence[Sighting], count: int, rng: np.random.Generator
) -> list[Sighting]:
    """The `count` worst: the missed, drawn by chance if they would fill more than `MISSED_AT_MOST`, then by error.

    Errors in mm and in sizes are compared as multiples of the median error of their kind.
    """
    middle = _median_errors(people)
    found = sorted(
        (person for person in people if person.guess is not None),
        key=lambda person: person.error / middle[person.in_3d],
        reverse=True,
    )
    missed = [person for person in people if person.guess is None]
    room = min(len(missed), max(int(MISSED_AT_MOST * count), count - len(found)))
    return [*drawn_by_chance(missed, room, rng), *found[: count - room]]


def _median_errors(people: Sequence[Sighting]) -> dict[bool, float]:
    """Of those found, by whether their error is in mm."""
    kinds = {
        kind: [
            one.error for one in people if one.in_3d is kind and one.guess is not None
        ]
        for kind in (True, False)
    }
    return {
        kind: max(float(np.median(errors)), 1e-9)
        for kind, errors in kinds.items()
        if errors
    }


def drawn_by_chance(
    people: Sequence[Sighting], count: int, rng: np.random.Generator
) -> list[Sighting]:
    """`count` of them, or all where there are fewer; the same places in the list for generators of the same seed."""
    return [people[index] for index in rng.permutation(len(people))[:count]]


def people_sheet(title: str, people: Sequence[Sighting]) -> Image:
    """[H, W, 3] a tile a person, row by row."""
    blank: Image = np.full((TILE_PX + CAPTION_PX, TILE_PX, 3), 24, np.uint8)
    tiles = [tile(person) for person in people]
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [
        np.hstack(tiles[start : start + COLUMNS])
        for start in range(0, len(tiles), COLUMNS)
    ]
    head: Image = np.full((CAPTION_PX, COLUMNS * TILE_PX, 3), 24, np.uint8)
    write(head, title, (8, CAPTION_PX - 12), 0.6)
    return np.asarray(np.vstack([head, *rows]), np.uint8)


def save_people_sheets(
    folder: Path, name: str, people: Sequence[Sighting], count: int
) -> None:
    """`worst_NAME.jpg` and `random_NAME.jpg`, the latter of the same people for every system.

    Raises:
        OSError: a picture cannot be written.
    """
    missed = sum(person.guess is None for person in people)
    predicted = f"of {len(people)} people, {missed} of them missed"
    bad, chance = (
        pick(people, count, np.random.default_rng(0))
        for pick in (worst, drawn_by_chance)
    )
    save_jpeg(
        folder / f"worst_{name}.jpg",
        people_sheet(f"{name}: worst {len(bad)} {predicted}", bad),
    )
    save_jpeg(
        folder / f"random_{name}.jpg",
        people_sheet(f"{name}: {len(chance)} by chance {predicted}", chance),
    )


def tile(person: Sighting) -> Image:
    """[TILE_PX + CAPTION_PX, TILE_PX, 3] the picture round the labelled person, and the caption."""
    window = window_round(person)
    picture = cut(person.frame.image_bgr(), window, (TILE_PX, TILE_PX))
    if person.guess is not None:
        bones(picture, window.to_crop(person.guess.joints_px), side_colour, 2)
    bones(picture, window.to_crop(completed(person.score.truth.joints_px)), white, 1)
    picture[:, -1] = picture[-1] = 70
    return np.asarray(np.vstack([picture, _captioned(*person.caption)]), np.uint8)


def window_round(person: Sighting) -> Window:
    """A square round the labelled box, with room for a pose that strays from it."""
    low = person.score.truth.box_xyxy_px[:2]
    high = person.score.truth.box_xyxy_px[2:]
    side = max(ROOM * float((high - low).max()), _SMALLEST_PX)
    corner = (low + high) / 2 - side / 2
    return Window(float(corner[0]), float(corner[1]), TILE_PX / side)


def _captioned(name: str, how: str) -> Image:
    strip: Image = np.full((CAPTION_PX, TILE_PX, 3), 24, np.uint8)
    write(strip, _fitting(name), (4, 13), _TEXT)
    write(strip, how, (4, 29), _TEXT)
    return strip


def _fitting(text: str) -> str:
    """The end of the text, as much as a tile is wide."""
    short = text
    while (
        cv2.getTextSize(short, cv2.FONT_HERSHEY_SIMPLEX, _TEXT, 1)[0][0] > TILE_PX - 8
    ):
        short = ".." + short[3:]
    return short
