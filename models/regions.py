"""Regions of a frame where `coarse` may have missed somebody small or hidden, to be looked at again, larger.

Layer Cascade's region convolution (arXiv 1704.01344, section 3.2) runs deeper layers on the undecided pixels alone.
Here the regions are tiles of the frame, gathered and shown to the same `coarse` at `ZOOM` times the scale: a tile's
answer does not depend on which others are run.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Floats, Indices, Mask
from models.looks import COLUMNS, Looks, boxes, firsts, heights, likeness, sizes

ZOOM: Final = 2.0
"""How much larger a tile is shown than the whole frame."""
STEPS: Final = 3
"""Tiles along each side: at half the frame's sides they overlap by half, and whoever is smaller than a quarter of the
frame is whole in one of them."""
LARGEST_SCALE: Final = 1 / ZOOM
"""Of the whole frame in the network's input. Above it a tile would be stretched: it shows no more than was there, and
on photos of 640 pixels it brought more strangers than people."""
SMALL_PX: Final = 64.0
"""Height in the network's input below which people are small: where some are seen, others are missed."""
FAINTEST: Final = 0.02
"""Score from which on a slot is somebody, if perhaps too faint to be answered."""
NEW_BY_SMALL: Final = 0.4
"""Newcomers that a tile shows for each small slot in it: rounded from least squares over 432 tiles of 48
rendered frames (a trial, not kept). It orders the tiles; one small slot marks."""
LEAST_NEW: Final = 0.3
"""Expected newcomers from which on a tile is marked: one small slot will do."""
SAME_ACROSS: Final = 0.3
"""Likeness from which on poses of two looks are of one person: small people's joints shake by much of their size."""
PART_OF: Final = 0.6
"""Share of a newcomer's box in a much taller person's, from which on it is taken to be a part of that person."""
TALLER: Final = 1.6


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a frame, whole pixels."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, joints_px: Floats, within: "Tile") -> Mask:
        """[P] whose box lies in the tile, save where the tile ends with the region `within`: what is cut by the tile's
        edge alone was seen better before."""
        box = boxes(joints_px)
        begins = (box[:, :2] >= [self.x, self.y]) | (np.array([self.x, self.y]) <= [within.x, within.y])
        ends = (box[:, 2:] <= self._end) | (self._end >= within._end)
        return np.asarray((begins & ends).all(1))

    @property
    def _end(self) -> Indices:
        return np.array([self.x + self.width, self.y + self.height])


def tiles(region: Tile) -> list[Tile]:
    """Those of a region, row by row, all of one size."""
    width, height = max(1, round(region.width / ZOOM)), max(1, round(region.height / ZOOM))
    across = np.linspace(region.x, region.x + region.width - width, STEPS).round().astype(int).tolist()
    down = np.linspace(region.y, region.y + region.height - height, STEPS).round().astype(int).tolist()
    return [Tile(x, y, width, height) for y in down for x in across]


def expected_new(slots: Looks, answered: Indices, scale: float) -> Floats:
    """[P] how many newcomers a larger look at each slot's place is expected to show.

    Round small people, found or faint, are others who were too small to be found.

    Args:
        slots: all P that `coarse` said of the whole.
        answered: which of them are people already.
        scale: of the whole in the network's input.
    """
    if scale > LARGEST_SCALE:
        return np.zeros(len(slots))
    people = slots[answered]
    alike = likeness(slots.joints_px[:, None], people.joints_px[None], sizes(people.joints_px))
    new = alike.max(1, initial=0.0) < SAME_ACROSS  # and not a second find
    new[answered] = True
    small = heights(slots.joints_px) * scale < SMALL_PX
    return np.where(new & small & (slots.score >= FAINTEST), NEW_BY_SMALL, 0.0)


def marked(region: Tile, slots: Looks, expected: Floats) -> list[Tile]:
    """The tiles of a region in which at least `LEAST_NEW` newcomers are expected, the most promising first.

    Counted in a tile are slots that lie in it as a whole. What a tile shows is not expected again of the others, which
    overlap it.

    Args:
        region: looked at as a whole.
        slots: P that were said of it.
        expected: [P] newcomers at each, see `expected_new`.
    """
    if not expected.any():
        return []
    where, left = tiles(region), expected.copy()
    inside = np.stack([tile.holds(slots.joints_px, region) for tile in where])  # [T, P]
    chosen: list[Tile] = []
    while (promised := inside @ left).max() >= LEAST_NEW:
        best = int(promised.argmax())
        chosen.append(where[best])
        left[inside[best]] = 0.0
    return chosen


def newcomers(tile: Tile, seen: Looks, people: Looks, whole: Tile) -> Looks:
    """Those of the people `seen` in a tile whom its edge does not cut, and who are not a part of somebody larger.

    Args:
        tile: where they were looked for.
        seen: who was found there.
        people: who had been found in the whole.
        whole: the region that the tiles lie in.
    """
    seen = seen[np.flatnonzero(tile.holds(seen.joints_px, whole))]
    own, known = boxes(seen.joints_px)[:, None], boxes(people.joints_px)[None]
    shared = np.clip(np.minimum(own[..., 2:], known[..., 2:]) - np.maximum(own[..., :2], known[..., :2]), 0, None)
    part = shared.prod(-1) / np.maximum((own[..., 2:] - own[..., :2]).prod(-1), 1.0)
    taller = (known[..., 3] - known[..., 1]) > TALLER * (own[..., 3] - own[..., 1])
    return seen[np.flatnonzero(~((part > PART_OF) & taller).any(1))]


def joined(looks: list[Looks]) -> Looks:
    """The people of several looks, best score first: of two finds of a person the surer one."""
    together = Looks(*(np.concatenate([getattr(some, name) for some in looks]) for name in COLUMNS))
    source = np.repeat(np.arange(len(looks)), [len(some) for some in looks])
    order = np.argsort(-together.score, kind="stable")
    px, source = together.joints_px[order], source[order]
    size = sizes(px)
    alike = likeness(px[:, None], px[None], np.maximum(size[:, None], size[None]))
    return together[order[firsts((alike > SAME_ACROSS) & (source[:, None] != source[None]))]]
