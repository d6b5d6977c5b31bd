"""Tiles of a frame where `coarse` may have missed small or hidden people, to be run again at a larger scale.

Layer Cascade's region convolution (arXiv 1704.01344, section 3.2) runs deeper layers on the undecided pixels alone.
Here the regions are tiles of the frame, given to the same `coarse` at `ZOOM` times the scale. A tile's output does not
depend on which others are run.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.detections import Detections, concatenated
from posecascade.models.keypoints import (
    box_heights,
    box_scales,
    boxes,
    greedy_nms,
    oks,
    pairwise_oks,
)

ZOOM: Final = 2.0
"""Scale of a tile over that of the whole frame."""
TILES_PER_SIDE: Final = 3
"""At half the frame's sides they overlap by half: whoever is smaller than a quarter of the frame is whole in one."""
MAX_FRAME_SCALE: Final = 1 / ZOOM
"""Of the whole frame in the network's input. Above it a tile would be upsampled: it shows no more than was there, and
on photos of 640 pixels it brought more false people than true ones."""
SMALL_PX: Final = 64.0
"""Height in the network's input below which people are small: where some are found, others are missed."""
MIN_CANDIDATE_SCORE: Final = 0.02
"""Score from which a candidate is evidence of a person."""
NEW_PER_SMALL: Final = 0.4
"""New people in a tile for each small candidate in it. It orders the tiles; one small candidate selects one."""
MIN_NEW: Final = 0.3
"""Expected new people from which a tile is promising."""
SAME_PERSON_OKS: Final = 0.3
"""Similarity of poses of two passes above which they are of one person: joints of small people are noisy."""
PART_OVERLAP: Final = 0.6
"""Share of a new box in a much taller person's from which it is taken for a part of that person."""
TALLER: Final = 1.6
"""Ratio of heights from which a person is much taller."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a frame, whole pixels."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, joints_px: Floats, region: "Tile") -> Mask:
        """[P] whose box lies in the tile. Edges that the tile shares with `region` do not cut anybody."""
        box = boxes(joints_px)
        is_first = self._start <= region._start
        is_last = self._end >= region._end
        starts_inside = (box[:, :2] >= self._start) | is_first
        ends_inside = (box[:, 2:] <= self._end) | is_last
        return np.asarray((starts_inside & ends_inside).all(1))

    @property
    def _start(self) -> Indices:
        return np.array([self.x, self.y])

    @property
    def _end(self) -> Indices:
        return np.array([self.x + self.width, self.y + self.height])


def tiles(region: Tile) -> list[Tile]:
    """Those of a region, row by row, all of one size."""
    width = max(1, round(region.width / ZOOM))
    height = max(1, round(region.height / ZOOM))
    last_x = region.x + region.width - width
    last_y = region.y + region.height - height
    xs = np.linspace(region.x, last_x, TILES_PER_SIDE).round().astype(int).tolist()
    ys = np.linspace(region.y, last_y, TILES_PER_SIDE).round().astype(int).tolist()
    return [Tile(x, y, width, height) for y in ys for x in xs]


def expected_new_people(
    candidates: Detections, confident: Indices, scale: float
) -> Floats:
    """[P] how many new people a larger scale is expected to show at each candidate.

    Around small people, confident or not, there are others who were too small to be found.

    Args:
        candidates: all P of the whole region.
        confident: rows of those who are people already.
        scale: of the whole region in the network's input.
    """
    if scale > MAX_FRAME_SCALE:
        return np.zeros(len(candidates))
    people_px = candidates.joints_px[confident]
    candidates_px = candidates.joints_px
    similarity = oks(candidates_px[:, None], people_px[None], box_scales(people_px))
    is_distinct = similarity.max(1, initial=0.0) < SAME_PERSON_OKS
    is_distinct[confident] = True
    is_small = box_heights(candidates_px) * scale < SMALL_PX
    is_evidence = candidates.score >= MIN_CANDIDATE_SCORE
    return np.where(is_distinct & is_small & is_evidence, NEW_PER_SMALL, 0.0)


def promising_tiles(
    region: Tile, candidates: Detections, expected: Floats
) -> list[Tile]:
    """The tiles of a region in which at least `MIN_NEW` new people are expected, the most promising first.

    A candidate counts in a tile that contains it. Tiles overlap: once a tile is chosen, its candidates no longer count.

    Args:
        region: that `coarse` ran on as a whole.
        candidates: P in it.
        expected: [P] new people at each, see `expected_new_people`.
    """
    if not expected.any():
        return []
    all_tiles = tiles(region)
    inside = [tile.contains(candidates.joints_px, region) for tile in all_tiles]
    is_inside = np.stack(inside)  # [T, P]
    remaining = expected.copy()
    chosen: list[Tile] = []
    while True:
        new_people = is_inside @ remaining  # [T]
        if new_people.max() < MIN_NEW:
            return chosen
        best = int(new_people.argmax())
        chosen.append(all_tiles[best])
        remaining[is_inside[best]] = 0.0


def new_detections(
    tile: Tile, found: Detections, people: Detections, region: Tile
) -> Detections:
    """Those found in a tile whom its edge does not cut, and who are no part of a larger person.

    Args:
        tile: that `coarse` ran on.
        found: in it.
        people: found in the whole region.
        region: that the tiles lie in.
    """
    whole = found[np.flatnonzero(tile.contains(found.joints_px, region))]
    own = boxes(whole.joints_px)[:, None]
    known = boxes(people.joints_px)[None]
    high = np.minimum(own[..., 2:], known[..., 2:])
    low = np.maximum(own[..., :2], known[..., :2])
    shared = np.clip(high - low, 0, None).prod(-1)
    area = np.maximum((own[..., 2:] - own[..., :2]).prod(-1), 1.0)
    known_height = known[..., 3] - known[..., 1]
    own_height = own[..., 3] - own[..., 1]
    is_part = (shared / area > PART_OVERLAP) & (known_height > TALLER * own_height)
    return whole[np.flatnonzero(~is_part.any(1))]


def merged(parts: list[Detections]) -> Detections:
    """The people of several passes, best score first. Of two detections of a person the better one stays."""
    everybody = concatenated(parts)
    counts = [len(part) for part in parts]
    source = np.repeat(np.arange(len(parts)), counts)
    order = np.argsort(-everybody.score, kind="stable")
    similarity = pairwise_oks(everybody.joints_px[order])
    source = source[order]
    is_other_pass = source[:, None] != source[None]
    is_duplicate = (similarity > SAME_PERSON_OKS) & is_other_pass
    return everybody[order[greedy_nms(is_duplicate)]]
