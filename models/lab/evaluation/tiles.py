"""What larger looks at parts of wide frames find, and at what cost: marked tiles, chance, all, or a larger input.

Truth is the people of labelled folders; in folders without labels people answered are counted. The cost is in runs of
`coarse` on one of its usual input sizes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from posecascade.models.camera import assumed
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.detector import CoarseDetector
from posecascade.models.cascade.tiles import (
    Tile,
    expected_new_people,
    merged,
    new_detections,
    promising_tiles,
    tiles,
)
from posecascade.models.detections import Detections
from posecascade.models.lab.datasets.labelled import LabelledFolder, LabelledFrame
from posecascade.models.lab.evaluation.tables import table
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.matching import match
from posecascade.models.manifest import Manifest
from posecascade.models.options import MAX_TILES
from posecascade.models.records import Camera, Person, Stage, Stop

LARGER: Final = 2
"""Times the usual input, each way: every pixel that tiles show, in one run."""
DRAWS: Final = 10
"""Of the tiles that chance picks."""
WHOLE = "whole frame"
ALL = "all tiles"
INPUT = f"whole frame at {LARGER} x the input"


@dataclass(slots=True)
class Tally:
    """Sums over frames of one way to look."""

    frames: int = 0
    people: int = 0
    """Answered."""
    found: int = 0
    """Of those labelled."""
    false: int = 0
    runs: int = 0

    def add(
        self, frame: LabelledFrame, camera: Camera, looks: Detections, runs: int
    ) -> None:
        answers = [
            Guess.of(
                Person(
                    looks.pose(row, camera),
                    float(looks.score[row]),
                    np.zeros(4),
                    Stage.COARSE,
                    Stop.CONFIDENT,
                )
            )
            for row in range(len(looks))
        ]
        matches = match(frame, answers)
        self.frames = self.frames + 1
        self.people = self.people + len(looks)
        self.runs = self.runs + runs
        self.found += int((matches.found_by >= 0).sum())
        self.false += int(matches.false.sum())


@dataclass(slots=True)
class Views:
    """Every look at one frame: what is said of a tile does not depend on which others are asked."""

    people: Detections
    """Of the whole."""
    marked: list[Tile]
    new: dict[Tile, Detections]
    """Of each tile."""
    larger: Detections
    """Of the whole at the larger input."""

    def with_tiles(self, chosen: Sequence[Tile]) -> Detections:
        return (
            merged([self.people, *(self.new[tile] for tile in chosen)])
            if chosen
            else self.people
        )


def tallies(
    cascade: Cascade,
    folder: LabelledFolder,
    *,
    progress: Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]] = iter,
) -> dict[str, Tally]:
    """Every way to look at the frames of a folder, by name.

    Args:
        cascade: gives `coarse`.
        folder: labelled frames, or frames of which nothing is known.
        progress: wraps the frames, such as a progress bar.
    """
    rng = np.random.default_rng(0)
    sums = dict[str, Tally]()
    for frame in progress(folder.frames):
        image = frame.image_bgr()
        camera = frame.camera or assumed(image.shape[1], image.shape[0])
        views = _views(
            cascade,
            CoarseDetector(
                image, camera, cascade.manifest, cascade.manifest.min_score, lambda: 0.0
            ),
        )
        for name, looks, runs in _ways(views, rng):
            sums.setdefault(name, Tally()).add(frame, camera, looks, runs)
    return sums


def _ways(
    views: Views, rng: np.random.Generator
) -> Iterator[tuple[str, Detections, int]]:
    """Name, people and runs of each."""
    yield WHOLE, views.people, 1
    for name, count in (
        ("1 marked tile", 1),
        ("2 marked tiles", 2),
        ("marked tiles", MAX_TILES),
    ):
        chosen = views.marked[:count]
        yield name, views.with_tiles(chosen), 1 + len(chosen)
    for _ in range(DRAWS):
        drawn = [
            list(views.new)[row]
            for row in rng.permutation(MAX_TILES)[: len(views.marked)]
        ]
        yield "as many by chance", views.with_tiles(drawn), 1 + len(drawn)
    yield ALL, views.with_tiles(list(views.new)), 1 + MAX_TILES
    yield INPUT, views.larger, LARGER**2


def _views(cascade: Cascade, finder: CoarseDetector) -> Views:
    height, width = finder.image_bgr.shape[:2]
    region = Tile(0, 0, width, height)
    (slots,), scale = _asked(cascade, finder, [region])
    answered = finder.keep_confident(slots)
    where = tiles(region)
    people = slots[answered]
    new = {
        tile: new_detections(tile, seen[finder.keep_confident(seen)], people, region)
        for tile, seen in zip(where, _asked(cascade, finder, where)[0], strict=True)
    }
    (larger,), _ = _asked(
        cascade, replace(finder, manifest=_enlarged(cascade.manifest)), [region]
    )
    return Views(
        people,
        promising_tiles(region, slots, expected_new_people(slots, answered, scale)),
        new,
        larger[finder.keep_confident(larger)],
    )


def _enlarged(manifest: Manifest) -> Manifest:
    """With input sizes of the first stage that nothing was trained for, but that the network takes."""
    coarse = manifest.stages[Stage.COARSE]
    larger = tuple(
        (LARGER * height, LARGER * width) for height, width in coarse.input_sizes_hw
    )
    return replace(
        manifest,
        stages={
            **manifest.stages,
            Stage.COARSE: replace(coarse, input_sizes_hw=larger),
        },
    )


def _asked(
    cascade: Cascade, finder: CoarseDetector, parts: list[Tile]
) -> tuple[list[Detections], float]:
    steps = finder.run(parts)
    try:
        steps.send(cascade.runners[Stage.COARSE].run(next(steps).inputs))
    except StopIteration as done:
        predicted: tuple[list[Detections], float] = done.value
        return predicted
    raise AssertionError("a look asks once")


def as_markdown(folder: str, sums: dict[str, Tally], coarse_ms: float) -> str:
    """One folder's ways as a table, all per frame.

    Args:
        folder: its name.
        sums: of `tallies`.
        coarse_ms: the manifest's cost of a run.
    """
    rows = [
        [
            name,
            *(
                f"{value / tally.frames:.2f}"
                for value in (tally.people, tally.found, tally.false, tally.runs)
            ),
            f"{coarse_ms * tally.runs / tally.frames:.0f}",
        ]
        for name, tally in sums.items()
    ]
    return f"`{folder}`\n\n" + table(
        ["looked at", "people", "found", "false", "runs of coarse", "ms"], rows
    )
