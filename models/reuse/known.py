"""The people a stream knows, in columns."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from models.arrays import Floats, Indices
from models.looks import COLUMNS, Looks
from models.skeleton import JOINTS

NONE = 0
"""Place of `coarse` in `Stage`: no deep look is remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """One row a person, as of the last frame that they were in."""

    seen_s: Floats
    """[K] time of that frame."""
    coarse: Looks
    """What `coarse` said then."""
    velocity_px_s: Floats
    """[K, 2] of the body's middle in the picture."""
    kept: Looks
    """What was answered then: the deep look, carried to that frame, or else the coarse one."""
    stage: Indices
    """[K] place in `Stage` of the stage that gave it; `NONE`."""
    deep_s: Floats
    """[K] when it was taken."""
    key_mm: Floats
    """[K, 25, 3] the coarse body, relative to its root, when it was taken."""
    key_overlap: Floats
    """[K] share of the box that another person covered when it was taken."""
    offset_px: Floats
    """[K, 25, 2] deep minus coarse, in sizes of the coarse body; the mean of the last few deep looks."""
    offset_mm: Floats
    """[K, 25, 3] likewise of the body relative to its root."""
    offset_depth: Floats
    """[K] likewise of the logarithm of the root's depth."""
    interval_s: Floats
    """[K] of the person's clock."""
    looks: Indices
    """[K] deep looks that the carried one rests on: itself and those before it, none of them given up."""
    frames: Indices
    """[K] that were answered with the deep look since it was taken."""
    spent_mm: Floats
    """[K] error that carrying is expected to have added in these, summed."""

    def __len__(self) -> int:
        return len(self.seen_s)

    def __getitem__(self, rows: Indices) -> "Known":
        return Known(*(getattr(self, column.name)[rows] for column in fields(self)))

    def followed_by(self, other: "Known") -> "Known":
        """Both, one under the other."""
        return Known(*(_joined(getattr(self, column.name), getattr(other, column.name)) for column in fields(self)))

    @staticmethod
    def nobody() -> "Known":
        """An empty memory."""
        none, px, mm = np.zeros(0), np.zeros((0, JOINTS, 2)), np.zeros((0, JOINTS, 3))
        looks = Looks(none, px, np.zeros((0, JOINTS)), mm, np.zeros((0, JOINTS)), none, none, none)
        count = np.zeros(0, np.intp)
        return Known(none, looks, np.zeros((0, 2)), looks, count, none, mm, none, px, mm, none, none, count, count,
                     none)


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, Looks):
        return Looks(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in COLUMNS))
    return np.concatenate([one, other])
